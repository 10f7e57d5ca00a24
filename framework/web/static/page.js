// The page's own script: light and dark, friendly times, buttons that post, files that are sent, and cards whose inside
// is asked for when they are opened. It never builds markup from data: a card's inside comes escaped from the server.
"use strict";
(() => {
  const root = document.documentElement;
  const THEME = "dealhound.theme";

  const applyTheme = () => {
    const chosen = localStorage.getItem(THEME);
    const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.body?.classList.toggle("dark", dark);
    root.style.colorScheme = dark ? "dark" : "light";
  };

  const friendly = (time) => {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const ahead = seconds < 0;
    const size = Math.abs(seconds);
    if (!(size < 36 * 3600)) return;
    const words = size < 60 ? "a moment" : size < 5400 ? `${Math.round(size / 60)} min` : `${Math.round(size / 3600)} h`;
    const shown = ahead ? `in ${words}` : `${words} ago`;
    if (time.textContent !== shown) time.textContent = shown;
  };

  // Gradio measures which tabs fit once, maybe before our style sheet made them smaller: have it measure again.
  let measured = false;
  const measureTabs = () => {
    const styled = [...document.styleSheets].some((sheet) => sheet.href?.endsWith("/ui/page.css"));
    if (measured || !styled || !document.querySelector("[role=tab]")) return;
    measured = true;
    setTimeout(() => dispatchEvent(new Event("resize")), 50);
  };

  // Opened cards stay open when fresh content arrives: by key, with the inside that was there.
  const opened = new Map();
  const refresh = () => {
    measureTabs();
    document.querySelectorAll(".dh time[datetime]").forEach(friendly);
    document.querySelectorAll(".dh details[data-key]").forEach((details) => {
      if (!opened.has(details.dataset.key) || details.open) return;
      details.querySelector(".dh-inside").innerHTML = opened.get(details.dataset.key);
      details.open = true;
    });
  };

  const load = async (details) => {
    const inside = details.querySelector("[data-load]");
    const key = details.dataset.key;
    if (!opened.has(key)) opened.set(key, "");
    try {
      const answer = await fetch(new URL(inside.dataset.load, document.baseURI));
      if (!answer.ok) throw new Error(String(answer.status));
      const markup = await answer.text();
      opened.set(key, markup);
      if (inside.isConnected) inside.innerHTML = markup;
      else document.querySelectorAll(`details[data-key="${CSS.escape(key)}"] .dh-inside`).forEach((now) => {
        now.innerHTML = markup;
      });
    } catch {
      inside.textContent = "This cannot be shown now: is Dealhound running?";
    }
  };

  document.addEventListener("toggle", (event) => {
    const details = event.target;
    if (!details.dataset?.key) return;
    if (!details.open) opened.delete(details.dataset.key);
    else if (!details.querySelector(".dh-inside").hasChildNodes()) load(details);
  }, true);

  const send = async (element, options) => {
    const said = element.parentElement.querySelector(".dh-said");
    element.disabled = true;
    try {
      const answer = await fetch(new URL(element.dataset.post || element.dataset.send, document.baseURI), options);
      const reply = await answer.json().catch(() => ({}));
      said.textContent = answer.ok ? reply.said || "Done" : reply.detail || `It failed (${answer.status})`;
      return answer.ok;
    } catch {
      said.textContent = "Dealhound does not answer: is it running?";
      return false;
    } finally {
      element.disabled = false;
    }
  };

  // A pressed word is taken back by pressing it again.
  const wordOf = (button) => (button.getAttribute("aria-pressed") === "true" ? "undo" : button.dataset.body);

  const post = async (button) => {
    const { body, url } = button.dataset;
    const word = body && wordOf(button);
    const message = word ? { word } : url ? { url } : {};
    const headers = { "Content-Type": "application/json" };
    if (!(await send(button, { method: "POST", headers, body: JSON.stringify(message) })) || !body) return;
    button.parentElement.querySelectorAll("[aria-pressed]").forEach((other) => {
      other.setAttribute("aria-pressed", String(other === button && word === body));
    });
  };

  // The first press of a button that cannot be undone asks, the second one acts.
  const isSure = (button) => {
    if (!button.dataset.sure || button.dataset.asked) return true;
    button.dataset.asked = "yes";
    button.textContent = button.dataset.sure;
    return false;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.dataset.post && isSure(button)) post(button);
    if (button && "themeSwitch" in button.dataset) {
      localStorage.setItem(THEME, document.body.classList.contains("dark") ? "light" : "dark");
      applyTheme();
    }
  });

  document.addEventListener("change", async (event) => {
    const [file] = (event.target.dataset?.send && event.target.files) || [];
    if (!file) return;
    await send(event.target, { method: "POST", body: file });
    event.target.value = "";
  });

  const start = () => {
    root.lang ||= "en";
    applyTheme();
    // Gradio sets its own theme class when it starts: ours has the last word.
    new MutationObserver(() => {
      const chosen = localStorage.getItem(THEME);
      if (chosen && document.body.classList.contains("dark") !== (chosen === "dark")) applyTheme();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    let waiting = 0;
    new MutationObserver(() => {
      if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; refresh(); });
    }).observe(document.body, { childList: true, subtree: true });
    setInterval(refresh, 20000);
    document.querySelectorAll("link[rel=stylesheet]").forEach((link) => link.addEventListener("load", refresh));
    refresh();
  };

  // Gradio adds this script while the page loads or after it.
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
