// While the sweep is at work: looks for a newer page where this one lies, and shows it.
{
  const EVERY_S = 5;
  const SILENT_S = 600;
  const live = document.getElementById("live");
  const status = live?.querySelector("[role=status]");
  const box = live?.querySelector("input");
  let heard = false;
  let last = Date.now();

  const say = (words) => {
    if (status.textContent !== words) status.textContent = words;
  };
  // Nobody's choice, text or picture is taken out of their hands.
  const isBusy = () =>
    document.querySelector("dialog[open]") || document.activeElement?.matches("select, textarea, input[type=search]") ||
    !getSelection().isCollapsed;
  const renew = () => {
    if (isBusy()) return say("There is something new; it is shown as soon as you are done here.");
    chosen.keep();
    location.reload();
  };
  const look = () => {
    const script = document.createElement("script");
    script.src = `live.js?${Date.now()}`;
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => {
      script.remove();
      if (heard) return renew();
      say("This page was live, but what it was refreshed by is not beside it any more.");
      clearInterval(timer);
    });
    document.head.append(script);
  };
  window.cyclelabNews = (stamp) => {
    heard = true;
    if (stamp !== live.dataset.stamp) return renew();
    const silent = (Date.now() - last) / 1000;
    say(
      silent < SILENT_S
        ? "This page refreshes itself while the sweep is at work."
        : `Nothing new for ${Math.round(silent / 60)} minutes: the sweep may have been stopped.`,
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
