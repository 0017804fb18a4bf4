// Fill a digest field from a file chosen here; the file itself is not sent.
//
// <form data-digest> with a file input, an input named "digest" and [data-status].
import { describe, sayDigest, sha256Hex, watchFiles } from "./files.js";

async function fill(form, files) {
  const say = (words) => { form.querySelector("[data-status]").textContent = words; };
  describe(form, files);
  sayDigest(form, "");
  say("Reading the file here, in your browser…");
  try {
    form.elements.namedItem("digest").value = await sha256Hex(files[0]);
    form.querySelector('input[type="file"]').removeAttribute("name");
    say("Done. The file stays with you.");
  } catch (error) {
    say(error.message);
  }
}

for (const form of document.querySelectorAll("form[data-digest]")) {
  watchFiles(form, (files) => fill(form, files));
}
