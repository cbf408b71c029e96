-- The same columns as in ../sqlite/0003_sums.sql, where they are explained.
ALTER TABLE place ADD COLUMN sum BIGINT;
ALTER TABLE pairing ADD COLUMN sum BIGINT;
ALTER TABLE checkpoint ADD COLUMN sum BIGINT;
ALTER TABLE message ADD COLUMN sum BIGINT;
ALTER TABLE intent ADD COLUMN sum BIGINT;
