// Sends a file part by part. What is here already is asked for first, so that the same file goes on where it stopped.
(function () {
  "use strict";
  var form = document.getElementById("upload");
  if (!form || !window.fetch || !window.Blob) { return; }
  var said = form.dataset;
  var LEAST = 256 * 1024;
  var most = Number(said.most);
  var overlap = Number(said.overlap);
  var part = Math.min(most, 1024 * 1024);
  var running = false;
  var failures = 0;

  function by(id) { return document.getElementById(id); }
  function tell(id, text) {
    var place = by(id);
    place.textContent = text;
    place.hidden = text === "";
  }
  function size(octets) {
    var names = ["B", "KB", "MB", "GB", "TB"];
    var n = 0;
    while (octets >= 1024 && n < names.length - 1) { octets /= 1024; n += 1; }
    return (n === 0 ? octets : octets.toFixed(1)) + names[n];
  }
  function show(held, all) {
    var bar = by("bar");
    bar.max = all;
    bar.value = held;
    tell("line", said.progress.replace("{done}", size(held)).replace("{all}", size(all)));
  }
  function stop(text) {
    running = false;
    by("begin").disabled = false;
    by("pause").hidden = true;
    tell("wrong", text);
  }
  function later(file, upload, fresh) {
    failures += 1;
    part = Math.max(LEAST, part / 2);
    tell("hint", said.interrupted);
    setTimeout(function () {
      if (!running) { return; }
      if (upload) { held(file, upload); } else { begin(file, fresh); }
    }, Math.min(30000, 500 * Math.pow(2, Math.min(failures, 6))));
  }
  function answer(response) {
    if (response.redirected) { location.reload(); return new Promise(function () {}); }
    // An older page, or nobody is signed in any more: the page says what to do.
    if (response.status === 403) { location.reload(); return new Promise(function () {}); }
    if (response.status >= 500 && response.status !== 507) { throw new Error("later"); }
    return response.json().then(function (body) { return { status: response.status, body: body }; });
  }
  function begin(file, fresh) {
    var fields = new URLSearchParams();
    fields.set("csrf", said.csrf);
    fields.set("name", file.name);
    fields.set("octets", file.size);
    fields.set("modified", file.lastModified || 0);
    if (fresh) { fields.set("fresh", "1"); }
    fetch("/uploads", { method: "POST", body: fields, credentials: "same-origin" }).then(answer).then(function (came) {
      if (came.status !== 200) { stop(came.body.error); return; }
      if (came.body.held > 0) { tell("hint", said.resumed); }
      // A little of what is there comes once more: another file is noticed by it.
      send(file, came.body.id, Math.max(0, came.body.held - overlap));
    }).catch(function () { later(file, null, fresh); });
  }
  function held(file, upload) {
    fetch("/uploads/" + upload + "/held", { credentials: "same-origin" }).then(answer).then(function (came) {
      if (came.status === 404) { begin(file, false); return; }
      if (came.status !== 200) { stop(came.body.error); return; }
      send(file, upload, came.body.held);
    }).catch(function () { later(file, upload); });
  }
  function send(file, upload, at) {
    if (!running) { return; }
    show(at, file.size);
    if (at >= file.size) {
      tell("hint", said.looking);
      location.assign("/uploads/" + upload);
      return;
    }
    var piece = file.slice(at, Math.min(file.size, at + part));
    var since = Date.now();
    // Read first: a file that changed or is locked is no trouble of the network.
    new Response(piece).arrayBuffer().then(function (octets) {
      return fetch("/uploads/" + upload + "/data?at=" + at, {
        method: "PUT",
        body: octets,
        credentials: "same-origin",
        headers: { "content-type": "application/octet-stream", "x-hikyaku-token": said.csrf }
      }).then(answer).then(function (came) {
        if (came.status === 200) {
          failures = 0;
          if (Date.now() - since < 2000) { part = Math.min(most, part * 2); }
          if (by("hint").textContent === said.interrupted) { tell("hint", ""); }
          send(file, upload, came.body.held);
          return;
        }
        if (came.body.reason === "offset") { send(file, upload, came.body.held); return; }
        if (came.body.reason === "other") { tell("hint", said.other); begin(file, true); return; }
        stop(came.body.error);
      }).catch(function () { later(file, upload); });
    }, function () { stop(said.unreadable); });
  }

  // Without this the form sends the whole file at once, and a line that breaks off means to begin again.
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var file = by("file").files[0];
    if (!file || running) { return; }
    running = true;
    failures = 0;
    by("begin").disabled = true;
    by("pause").hidden = false;
    by("progress").hidden = false;
    tell("wrong", "");
    tell("hint", "");
    begin(file, false);
  });
  by("pause").addEventListener("click", function () {
    stop("");
    tell("hint", said.paused);
  });
}());
