// What HTML and htmx leave to do. Nothing here is needed to read an answer; without scripts the page comes whole.
"use strict";

// A lost connection would be opened again by the browser, and the whole question be asked and written a second time.
document.addEventListener("htmx:sseError", (event) => {
  const answer = event.target;
  answer.removeAttribute("sse-connect");
  event.detail.source.close();
  document.getElementById("answer-status").replaceChildren();
  document.getElementById("lost").hidden = false;
});

// A sentence brings its cards' words anew; a post that the reader has unfolded stays unfolded.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const unfolded = event.detail.target.querySelector("details.whole[open]");
  const arriving = event.detail.fragment.querySelector("details.whole");
  if (unfolded && arriving) arriving.open = true;
});

// Where "More posts" cannot be fetched into the page, going there tells why.
for (const failure of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(failure, (event) => {
    if (event.target.matches("a.more")) location.assign(event.target.href);
  });
}

// A mark leads to its card. In a card taller than the window the quote may still be out of sight: go on to the quote.
document.addEventListener("click", (event) => {
  const mark = event.target.closest("a.mark");
  if (!mark) return;
  const card = document.querySelector(mark.hash);
  if (!card) return;
  const quotes = [...card.querySelectorAll("mark.quote")].filter((quote) => quote.offsetParent !== null);
  if (quotes.length === 0) return;
  const depth = quotes[0].getBoundingClientRect().bottom - card.getBoundingClientRect().top;
  if (depth > window.innerHeight * 0.8) {
    setTimeout(() => quotes[0].scrollIntoView({ block: "center" }), 0);
  }
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

// The link to an answer is also copied when it is followed with a plain click.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.answer-link");
  if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const words = link.textContent;
  try {
    await navigator.clipboard.writeText(link.href);
    link.textContent = link.dataset.copied;
    link.setAttribute("role", "status");
    setTimeout(() => {
      link.textContent = words;
      link.removeAttribute("role");
    }, 2000);
  } catch {
    location.assign(link.href);
  }
});

// While somebody types, the box completes: a combobox as the ARIA Authoring Practices describe it, where arrows choose
// and the typed text stays until Enter or a click takes the chosen one.
const DEBOUNCE_MS = 60;

function suggestInto(box) {
  const list = document.createElement("ul");
  list.id = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.suggestions);
  box.after(list);
  const expanded = (open) => box.setAttribute("aria-expanded", String(open));
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("autocomplete", "off"); // the browser's own list would lie over this one
  expanded(false);

  let chosen = -1;
  let waiting = 0;
  let asking = new AbortController();

  function choose(number) {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = number;
    const option = list.children[chosen];
    if (!option) return box.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", option.id);
  }

  function stopAsking() {
    clearTimeout(waiting);
    asking.abort();
  }

  function close() {
    stopAsking();
    choose(-1);
    list.hidden = true;
    expanded(false);
  }

  function take(option) {
    box.value = option.dataset.text;
    close();
    box.form.requestSubmit();
  }

  // A post's words go in as text alone, never as HTML.
  function option({ text, kind }, number) {
    const item = document.createElement("li");
    const words = document.createElement("bdi");
    const origin = document.createElement("span");
    item.id = `suggestion-${number}`;
    item.dataset.text = words.textContent = text;
    origin.textContent = { query: box.dataset.kindQuery, tag: box.dataset.kindTag, title: box.dataset.kindTitle }[kind];
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.append(words, origin);
    return item;
  }

  async function ask() {
    stopAsking();
    asking = new AbortController();
    const { signal } = asking;
    const typed = box.value;
    let suggestions = [];
    try {
      const response = await fetch(`/api/suggest?${new URLSearchParams({ q: typed })}`, { signal });
      if (response.ok) ({ suggestions } = await response.json());
    } catch {
      // Without suggestions the box is what it is without scripts.
    }
    if (signal.aborted || box.value !== typed || document.activeElement !== box) return;
    choose(-1);
    list.replaceChildren(...suggestions.map(option));
    list.hidden = suggestions.length === 0;
    expanded(!list.hidden);
  }

  function soon() {
    stopAsking();
    if (box.value.trim() === "") close();
    else waiting = setTimeout(ask, DEBOUNCE_MS);
  }

  // What an input method has not finished composing (pinyin on its way to Chinese) is nothing to look for yet, and its
  // own list of candidates needs the place and the keys.
  box.addEventListener("compositionstart", close);
  box.addEventListener("compositionend", soon);
  box.addEventListener("input", (event) => {
    if (!event.isComposing) soon();
  });

  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing || event.keyCode === 229 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (list.hidden) {
      if (event.key === "ArrowDown" && box.value.trim() !== "") ask();
      return;
    }
    if (step) {
      // The box itself is one of the stops, so that what was typed can be gone back to.
      const stops = list.children.length + 1;
      choose(((chosen + 1 + step + stops) % stops) - 1);
    } else if (event.key === "Enter" && chosen >= 0) {
      take(list.children[chosen]);
    } else if (event.key === "Escape") {
      close();
    } else {
      return;
    }
    event.preventDefault();
  });

  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the box
  list.addEventListener("click", (event) => {
    const clicked = event.target.closest("[role=option]");
    if (clicked) take(clicked);
  });
  box.addEventListener("blur", close);
  box.form.addEventListener("submit", close);
  window.addEventListener("pagehide", close); // going back would show it open
}

const box = document.getElementById("q");
if (box) suggestInto(box);
