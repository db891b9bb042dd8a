// While the sweep is at work: looks for a newer page where this one lies, and shows it.
{
  const EVERY_S = 5;
  // A page is written every ten seconds or more: a twentieth of the time goes into it.
  const SILENT_S = 180;
  const live = document.getElementById("live");
  const status = live?.querySelector("[role=status]");
  const box = live?.querySelector("input");
  let heard = false;

  const say = (words) => {
    if (status.textContent !== words) status.textContent = words;
  };
  // Nobody's choice, text, picture or place in the page is taken out of their hands.
  const USED_S = 20;
  let used = 0;
  for (const kind of ["keydown", "pointerdown", "input"]) {
    document.addEventListener(kind, () => { used = Date.now(); }, true);
  }
  const isBusy = () => {
    const at = document.activeElement;
    const isWriting = at?.matches("select, textarea, input[type=search]");
    const isThere = at && at !== document.body && at !== box && Date.now() - used < USED_S * 1000;
    return document.querySelector("dialog[open]") || isWriting || isThere || !getSelection().isCollapsed;
  };
  // A page and its news that do not fit each other must not load each other for ever.
  const memory = {
    get: () => { try { return sessionStorage.getItem("cyclelab-renewed-for"); } catch { return null; } },
    set: (stamp) => { try { sessionStorage.setItem("cyclelab-renewed-for", stamp); } catch { /* then it may be twice */ } },
  };
  const renew = (stamp) => {
    if (memory.get() === `${location.pathname} ${stamp}`) {
      return say("There is something new, but the page that belongs to it is not there yet.");
    }
    if (isBusy()) return say("There is something new; it is shown when you leave what you are at, or pause.");
    memory.set(`${location.pathname} ${stamp}`);
    chosen.keep();
    place.keep();
    location.reload();
  };
  const look = () => {
    const script = document.createElement("script");
    script.src = `live.js?${Date.now()}`;
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      if (location.protocol !== "file:") return say("The server does not answer; it is asked again.");
      if (heard) return renew("none");
      say("This page stays as it is: the file `live.js` that told it of news is no longer beside it.");
      clearInterval(timer);
    });
    document.head.append(script);
  };
  window.cyclelabNews = (stamp, at) => {
    heard = true;
    if (stamp !== live.dataset.stamp) return renew(stamp || "last");
    const time = new Date(at).toLocaleTimeString();
    live.querySelector(".written").textContent = `As of ${time}.`;
    say(
      (Date.now() - at) / 1000 < SILENT_S
        ? "This page refreshes itself while the sweep is at work."
        : "What refreshed this page has been stopped; `cyclelab report` writes it as things stand.",
    );
  };
  let timer = null;
  // A page that nobody sees does not ask; one that comes to be seen asks at once.
  const lookIfSeen = () => { if (box.checked && !document.hidden) look(); };
  const start = () => {
    clearInterval(timer);
    timer = setInterval(lookIfSeen, EVERY_S * 1000);
    look();
  };
  if (live) {
    live.hidden = false;
    box.checked = chosen.get("live") !== "off";
    box.addEventListener("change", () => {
      chosen.set("live", box.checked ? "" : "off");
      if (box.checked) return start();
      clearInterval(timer);
      say("Stopped: this page stays as it is.");
    });
    document.addEventListener("visibilitychange", lookIfSeen);
    if (box.checked) start();
    else say("Stopped: this page stays as it is.");
  }
}
