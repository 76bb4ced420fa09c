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
