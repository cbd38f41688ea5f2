// Before anything is painted: the colours that people chose, where they chose any.
"use strict";
(() => {
  try {
    const theme = localStorage.getItem("mimus.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's choice stands.
  }
})();
