// What HTML and htmx leave to do on the page of results. Nothing here is needed to read an answer, its sources or a post;
// without scripts the page comes whole.
"use strict";

const byId = (id) => document.getElementById(id);
const plainClick = (event) =>
  event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && !event.defaultPrevented;

/* The answer's stream */

// A lost connection would be opened again by the browser, and the whole question be asked and written a second time.
function endStream(answer, source, note) {
  answer.removeAttribute("sse-connect");
  source.close();
  byId("answer-status").replaceChildren();
  byId("stop").hidden = true;
  byId(note).hidden = false;
}

document.addEventListener("htmx:sseError", (event) => endStream(event.target, event.detail.source, "lost"));

document.addEventListener("htmx:sseOpen", (event) => {
  const stop = byId("stop");
  stop.hidden = false;
  stop.onclick = () => {
    endStream(event.target, event.detail.source, "stopped");
    byId("answer").focus({ preventScroll: true });
  };
});

document.addEventListener("htmx:sseClose", () => {
  const stop = byId("stop");
  if (stop) stop.hidden = true;
});

// Once the answer is kept, the page's address becomes that of the answer: loaded again, or sent to somebody, it shows
// the same answer and does not ask the question a second time.
document.addEventListener("htmx:oobAfterSwap", () => {
  const goOn = document.querySelector("#go-on form[data-address]");
  if (!goOn) return;
  const { address } = goOn.dataset;
  delete goOn.dataset.address;
  history.replaceState(history.state, "", address + location.hash);
});

// Where "More posts" cannot be fetched into the page, going there tells why; so does a post, and a tag.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (event.target.matches("a.more")) location.assign(event.target.href);
    else if (event.detail.target?.matches("#panel-body, #narrowed")) location.assign(event.detail.pathInfo.requestPath);
  });
}

/* Marks: a source opens over its mark; a click leads to the card, and back */

const source = { mark: null, timer: 0 };

function place(shown, mark) {
  if (innerWidth < 700) return; // a sheet at the foot of the screen, by the style sheet
  const at = mark.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = shown;
  const below = at.bottom + 6 + height < innerHeight || at.top < height + 6;
  shown.style.left = `${Math.max(12, Math.min(at.left - 24, innerWidth - width - 12))}px`;
  shown.style.top = `${below ? at.bottom + 6 : at.top - height - 6}px`;
}

function openSource(mark) {
  clearTimeout(source.timer);
  if (source.mark === mark) return;
  closeSource();
  const shown = mark.nextElementSibling;
  if (!shown?.showPopover) return;
  mark.removeAttribute("title"); // it says the same
  shown.showPopover();
  place(shown, mark);
  mark.setAttribute("aria-expanded", "true");
  source.mark = mark;
}

function closeSource() {
  clearTimeout(source.timer);
  if (!source.mark) return;
  source.mark.setAttribute("aria-expanded", "false");
  if (source.mark.isConnected) source.mark.nextElementSibling.hidePopover();
  source.mark = null;
}

const markOf = (element) => element.closest?.(".cited")?.querySelector("a.mark");

function later(what, ms) {
  clearTimeout(source.timer);
  source.timer = setTimeout(what, ms);
}

document.addEventListener("pointerover", (event) => {
  if (event.pointerType !== "mouse") return;
  const mark = markOf(event.target);
  if (mark === source.mark && mark) clearTimeout(source.timer);
  else if (mark) later(() => openSource(mark), 120);
});

document.addEventListener("pointerout", (event) => {
  if (event.pointerType !== "mouse" || !markOf(event.target)) return;
  if (event.relatedTarget && markOf(event.relatedTarget) === markOf(event.target)) return;
  later(closeSource, 250);
});

document.addEventListener("focusin", (event) => {
  const mark = markOf(event.target);
  if (!mark) closeSource();
  else if (event.target.matches("a.mark:focus-visible")) openSource(mark);
});

document.addEventListener("pointerdown", (event) => {
  if (source.mark && markOf(event.target) !== source.mark) closeSource();
});

// A source goes with its mark, until that is out of sight.
function follow(event) {
  if (!source.mark || event.target.closest?.(".source")) return;
  const { top, bottom } = source.mark.getBoundingClientRect();
  if (bottom < 0 || top > innerHeight) closeSource();
  else place(source.mark.nextElementSibling, source.mark);
}

addEventListener("scroll", follow, { capture: true, passive: true });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !source.mark) return;
  const { mark } = source;
  if (mark.nextElementSibling.contains(document.activeElement)) mark.focus();
  closeSource();
  event.preventDefault();
});

// A mark leads to its card, with a way back. A finger opens the source first, which leads on.
const back = byId("return");
let cameFrom = null;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.mark, a.in-list");
  if (!link || !plainClick(event)) return;
  if (link.matches(".mark") && event.pointerType === "touch" && link.nextElementSibling) {
    event.preventDefault();
    openSource(link);
    return;
  }
  const mark = markOf(link);
  closeSource();
  widen();
  const card = document.querySelector(link.hash);
  if (!card) return;
  cameFrom = mark;
  if (back) setTimeout(() => (back.hidden = inSight(mark)), 0);
  // In a card taller than the window the quote may still be out of sight: go on to the quote.
  const quote = [...card.querySelectorAll("mark.quote")].find((one) => one.checkVisibility());
  if (!quote) return;
  const depth = quote.getBoundingClientRect().bottom - card.getBoundingClientRect().top;
  if (depth > innerHeight * 0.8) setTimeout(() => quote.scrollIntoView({ block: "center" }), 0);
});

function inSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top > 0 && bottom < innerHeight && innerWidth >= 1100;
}

back?.addEventListener("click", (event) => {
  if (!cameFrom?.isConnected) return;
  event.preventDefault();
  back.hidden = true;
  cameFrom.scrollIntoView({ block: "center" });
  cameFrom.focus({ preventScroll: true });
  closeSource();
});

/* Posts in columns: each card gets as many rows of the grid as it is high, in the column that is shortest when it comes.
   It stays in its column when one over it grows, so that nothing changes places while it is read. */

const ROW = 4;
const GAP = 16;
const rowsOf = (height) => Math.ceil((height + GAP) / ROW);

const heights = new ResizeObserver((entries) => {
  const high = entries.map(({ target }) => [target, target.getBoundingClientRect().height]);
  for (const [card, height] of high) card.style.gridRowEnd = `span ${rowsOf(height)}`;
});

function packList(list) {
  const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
  const cards = [...list.children];
  const again = list.dataset.columns !== String(columns);
  const high = cards.map((card) => rowsOf(card.getBoundingClientRect().height));
  const filled = new Array(columns).fill(0);
  cards.forEach((card, at) => {
    const kept = again ? 0 : Number(card.style.gridColumnStart);
    const column = kept || filled.indexOf(Math.min(...filled)) + 1;
    filled[column - 1] += high[at];
    if (kept) return;
    card.style.gridColumnStart = column;
    card.style.gridRowEnd = `span ${high[at]}`;
    heights.observe(card);
  });
  list.dataset.columns = columns;
  list.classList.add("packed");
}

const widths = new ResizeObserver((entries) => entries.forEach(({ target }) => packList(target)));

function pack() {
  for (const list of document.querySelectorAll(".posts")) {
    packList(list);
    widths.observe(list);
  }
}

pack();
document.addEventListener("htmx:afterSwap", pack);
document.addEventListener("htmx:oobAfterSwap", pack);

/* A post in a panel, where there is room for one */

const panel = byId("panel");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.open");
  if (!link || !plainClick(event) || innerWidth < 700 || !panel?.showModal) return;
  event.preventDefault();
  closeSource();
  const { pathname, search } = new URL(link.href);
  htmx.ajax("GET", pathname + search, { target: "#panel-body", swap: "innerHTML", select: "#post" }).then(() => {
    if (!panel.querySelector(".post")) return;
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    const quote = panel.querySelector("mark.quote");
    if (quote) quote.scrollIntoView({ block: "center" });
    byId("post").focus({ preventScroll: true });
  });
});

panel?.addEventListener("click", (event) => {
  if (event.target === panel) panel.close(); // beside it
});
panel?.addEventListener("close", () => byId("panel-body").replaceChildren());

/* A tag narrows the posts; the answer stays */

function widen() {
  const narrowed = byId("narrowed");
  if (!narrowed || !byId("found").hidden) return;
  narrowed.replaceChildren();
  byId("found").hidden = false;
}

document.addEventListener("click", (event) => {
  const wider = event.target.closest("a.widen");
  const tag = event.target.closest(".tags a, a.tag");
  if (!byId("answer") || !plainClick(event) || !(wider || tag)) return;
  event.preventDefault();
  panel?.close();
  if (wider) {
    widen();
    byId("posts-heading").scrollIntoView({ block: "nearest" });
    return;
  }
  const { pathname, search } = new URL(tag.href);
  htmx.ajax("GET", `${pathname}${search}&narrow=1`, { target: "#narrowed", swap: "innerHTML" }).then(() => {
    const heading = byId("narrowed-heading");
    if (!heading) return;
    byId("found").hidden = true;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "nearest" });
  });
});

/* To take along: the address of an answer, and its text */

async function copy(text, said) {
  await navigator.clipboard.writeText(text);
  const words = said.textContent;
  said.textContent = said.dataset.copied;
  said.setAttribute("role", "status");
  setTimeout(() => {
    said.textContent = words;
    said.removeAttribute("role");
  }, 2000);
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.answer-link");
  const markdown = event.target.closest(".markdown > summary");
  if (!(link || markdown) || !navigator.clipboard || !plainClick(event)) return;
  if (markdown?.parentElement.open) return;
  event.preventDefault();
  try {
    if (link) await copy(link.href, link);
    else await copy(markdown.nextElementSibling.value, markdown);
  } catch {
    if (link) location.assign(link.href);
    else markdown.parentElement.open = true;
  }
});
