"use strict";

// A click on a heading sorts by its column: largest first, then smallest first, then as it was.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(heading.firstChild);
    heading.prepend(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = { none: "descending", descending: "ascending", ascending: "none" };
      const order = next[heading.getAttribute("aria-sort")];
      headings.forEach((other) => other.setAttribute("aria-sort", "none"));
      heading.setAttribute("aria-sort", order);
      const rows = order === "none" ? original : [...original].sort((a, b) => compared(a.cells[column], b.cells[column], order));
      body.append(...rows);
    });
  });
}

// What is no number comes last, either way round.
function compared(a, b, order) {
  const sign = order === "ascending" ? 1 : -1;
  const [one, other] = [a, b].map((cell) => (cell.firstChild ? cell.firstChild.textContent.trim() : ""));
  const [x, y] = [one, other].map((text) => (text === "" ? NaN : Number(text.replace("−", "-").replaceAll(",", ""))));
  if (Number.isNaN(x) && Number.isNaN(y)) return sign * one.localeCompare(other);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return sign * (x - y);
}

// Columns that fewer people want.
for (const table of document.querySelectorAll("table.numbers:has(.more)")) {
  const button = document.createElement("button");
  button.className = "show-more";
  const name = () => (table.classList.toggle("few") ? "Show all columns" : "Show fewer columns");
  button.textContent = name();
  button.addEventListener("click", () => (button.textContent = name()));
  table.parentElement.after(button);
}

// A link to what is folded opens it; on paper everything is open.
function open(hash) {
  const target = hash ? document.getElementById(hash.slice(1)) : null;
  target?.closest("details")?.setAttribute("open", "");
}
for (const link of document.querySelectorAll("nav a")) link.addEventListener("click", () => open(link.hash));
open(location.hash);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));

// A click on a picture enlarges it.
const dialog = document.querySelector("dialog.enlarged");
for (const button of document.querySelectorAll("button.picture")) {
  button.addEventListener("click", () => {
    const image = button.querySelector("img");
    const words = button.nextElementSibling?.textContent.trim();
    dialog.querySelector("img").src = image.src;
    dialog.querySelector("img").alt = image.alt;
    dialog.querySelector("p").textContent = words ? `${image.alt}: ${words}` : image.alt;
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());

// One photograph in two versions, with a line between them to be moved.
const compare = document.querySelector(".compare");
const pictures = [...document.querySelectorAll("[aria-labelledby=pictures] img, [aria-labelledby=more-pictures] img")];
const [photograph, before, after] = compare.querySelectorAll("select");
const slider = compare.querySelector("input");
const stage = compare.querySelector(".stage");
const [left, right] = stage.querySelectorAll("img");

function show() {
  for (const [image, choice] of [[left, before], [right, after]]) {
    const chosen = pictures.find((p) => p.dataset.photograph === photograph.value && p.dataset.version === choice.value);
    image.src = chosen.src;
    image.alt = `Photograph ${Number(photograph.value) + 1}: ${choice.value}`;
  }
  stage.style.setProperty("--cut", `${slider.value}%`);
}

const versions = [...new Set(pictures.map((p) => p.dataset.version))];
for (const choice of [before, after]) choice.append(...versions.map((version) => new Option(version)));
// The truth beside what is closest to it, or else beside the first model after gray and the truth.
before.value = "truth";
const best = versions.find((version) => version.split(", ")[0] === compare.dataset.best);
after.value = best ?? versions[2];
const photographs = [...new Set(pictures.map((p) => p.dataset.photograph))];
photograph.append(...photographs.map((number) => new Option(`photograph ${Number(number) + 1}`, number)));
photograph.value = compare.dataset.photograph;
for (const control of [photograph, before, after, slider]) control.addEventListener("input", show);
compare.hidden = false;
show();
