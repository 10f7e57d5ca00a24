// The page's own script: light and dark, friendly times, buttons that post to the API, and opened details that stay
// open when fresh content arrives. It never builds markup from data.
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

  const opened = new Set();
  const refresh = () => {
    measureTabs();
    document.querySelectorAll(".dh time[datetime]").forEach(friendly);
    document.querySelectorAll(".dh details[data-key]").forEach((details) => {
      if (opened.has(details.dataset.key)) details.open = true;
    });
  };

  document.addEventListener("toggle", (event) => {
    const key = event.target.dataset?.key;
    if (key) event.target.open ? opened.add(key) : opened.delete(key);
  }, true);

  const post = async (button) => {
    const said = button.parentElement.querySelector(".dh-said");
    button.disabled = true;
    try {
      const answer = await fetch(new URL(button.dataset.post, document.baseURI), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(button.dataset.body ? { word: button.dataset.body } : {}),
      });
      const reply = await answer.json().catch(() => ({}));
      said.textContent = answer.ok ? reply.said || "Done" : reply.detail || `It failed (${answer.status})`;
      if (answer.ok && button.dataset.body) {
        button.parentElement.querySelectorAll("[data-body]").forEach((other) => {
          other.setAttribute("aria-pressed", String(other === button));
        });
      }
    } catch {
      said.textContent = "Dealhound does not answer: is it running?";
    } finally {
      button.disabled = false;
    }
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button?.dataset.post) post(button);
    if (button && "themeSwitch" in button.dataset) {
      localStorage.setItem(THEME, document.body.classList.contains("dark") ? "light" : "dark");
      applyTheme();
    }
  });

  const start = () => {
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
