// What HTML leaves to do on every page: suggestions, keys, the help sheet. Nothing here is needed to ask or to read.
"use strict";

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

// Single keys, for who wants them: on unless they are switched off on the help sheet, which this browser remembers. They
// do nothing while something is typed.
const KEYS_OFF = "stipple-single-keys-off";

function remembered() {
  try {
    return localStorage.getItem(KEYS_OFF) === null;
  } catch {
    return true; // a browser that keeps nothing
  }
}

function remember(on) {
  try {
    if (on) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
  } catch {
    // It holds for this page alone.
  }
}

// The posts, of which those out of sight are left out: a narrowed list hides the others.
function step(by) {
  const cards = [...document.querySelectorAll("li.card")].filter((card) => card.checkVisibility());
  const at = cards.indexOf(document.activeElement?.closest("li.card"));
  const next = cards[Math.min(Math.max(at + by, 0), cards.length - 1)];
  if (!next) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function startKeys(box) {
  const help = document.getElementById("help");
  const wanted = document.getElementById("single-keys");
  wanted.checked = remembered();
  wanted.addEventListener("change", () => remember(wanted.checked));
  // For browsers that do not know `commandfor` yet.
  for (const opener of document.querySelectorAll(".help-opener")) {
    if (!("commandForElement" in opener)) opener.addEventListener("click", () => help.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || !wanted.checked) return;
    if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (event.key === "/") box?.select();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") help.showModal();
    else if (event.key === "Enter" && event.target.matches("li.card")) event.target.querySelector("a.open")?.click();
    else return;
    event.preventDefault();
  });
}

const box = document.getElementById("q");
if (box) suggestInto(box);
startKeys(box);
