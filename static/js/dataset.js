// Is my file in that data set? Answered here, in the browser: no file is sent.
//
// <form data-dataset="hex digest of the description"> with three file inputs named
// description, proof and file, and [data-status] (role=status).
// Format and rules: docs/dataset-format.md, which this follows line by line.
import { sha256Hex } from "./files.js";

const HEX = /^[0-9a-f]{64}$/;
const BYTES = 64 * 1024;
const MOST_ITEMS = 10_000_000;
const LONGEST_PATH = 64;

class Broken extends Error {}

function need(holds, words) {
  if (!holds) throw new Broken(words);
}

function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g), (pair) => Number.parseInt(pair, 16));
}

async function hash(first, ...parts) {
  const whole = new Uint8Array(1 + parts.length * 32);
  whole[0] = first;
  parts.forEach((part, at) => whole.set(bytesOf(part), 1 + at * 32));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// RFC 9162 section 2.1.3.2
async function rootOf(item, index, size, path) {
  let [node, last, current] = [index, size - 1, await hash(0, item)];
  for (const sibling of path) {
    need(last > 0, "a path is too long");
    if (node % 2 === 1 || node === last) {
      current = await hash(1, sibling, current);
      while (node % 2 === 0 && node > 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      current = await hash(1, current, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  need(last === 0, "a path is too short");
  return current;
}

async function read(file, what) {
  need(file.size <= BYTES, `the ${what} is too large to be one`);
  try {
    return JSON.parse(await file.text());
  } catch {
    throw new Broken(`the ${what} is no JSON`);
  }
}

function checkShape(made, proof) {
  need(made.v === 1 && HEX.test(made.root), "the description is of no known form");
  need(
    Number.isInteger(made.count) && made.count >= 1 && made.count <= MOST_ITEMS,
    "the description has no count",
  );
  need(
    proof.v === 1 && HEX.test(proof.dataset) && HEX.test(proof.item) && Array.isArray(proof.neighbors),
    "the proof is of no known form",
  );
  for (const one of proof.neighbors) {
    need(
      Number.isInteger(one.index) && one.index >= 0 && one.index < made.count && HEX.test(one.item) &&
        Array.isArray(one.path) && one.path.length <= LONGEST_PATH && one.path.every((node) => HEX.test(node)),
      "the proof is of no known form",
    );
  }
}

// Hex of one length compares as its bytes do.
function isGap(near, item, count) {
  if (near.length === 1) {
    const [only] = near;
    return (only.index === 0 && item < only.item) || (only.index === count - 1 && item > only.item);
  }
  if (near.length !== 2) return false;
  const [before, after] = near;
  return after.index === before.index + 1 && before.item < item && item < after.item;
}

async function isIn(registered, files) {
  need((await sha256Hex(files.description)) === registered, "that description is not the registered one");
  const made = await read(files.description, "description");
  const proof = await read(files.proof, "proof");
  checkShape(made, proof);
  need(proof.dataset === registered, "the proof is about another data set");
  need(proof.item === (await sha256Hex(files.file)), "the proof is about another file");
  for (const one of proof.neighbors) {
    const root = await rootOf(one.item, one.index, made.count, one.path);
    need(root === made.root, "a path leads to another root");
  }
  if (proof.neighbors.some((one) => one.item === proof.item)) return true;
  need(isGap(proof.neighbors, proof.item, made.count), "the neighbors do not show that the file is missing");
  return false;
}

async function answer(form) {
  const say = (words) => { form.querySelector("[data-status]").textContent = words; };
  const files = Object.fromEntries(
    Array.from(form.querySelectorAll('input[type="file"]'), (input) => [input.name, input.files[0]]),
  );
  say("Reading the files here, in your browser…");
  try {
    const found = await isIn(form.dataset.dataset, files);
    say(found ? "Your file is in this data set." : "Your file is not in this data set.");
  } catch (error) {
    say(error instanceof Broken ? `That cannot be told: ${error.message}.` : error.message);
  }
}

for (const form of document.querySelectorAll("form[data-dataset]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(form);
  });
}
