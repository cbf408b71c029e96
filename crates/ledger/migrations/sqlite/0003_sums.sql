-- The first eight octets of BLAKE3 over what a row means, so that damage below the database is never taken for a fact.
-- NULL: written before there were sums. `verified` of a message is left out: it is raised in place and loses no mail.
ALTER TABLE place ADD COLUMN sum INTEGER;
ALTER TABLE pairing ADD COLUMN sum INTEGER;
ALTER TABLE checkpoint ADD COLUMN sum INTEGER;
ALTER TABLE message ADD COLUMN sum INTEGER;
ALTER TABLE intent ADD COLUMN sum INTEGER;
