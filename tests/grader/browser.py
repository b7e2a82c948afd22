"""A headless Chromium that looks at pages, and a server that hears whatever they ask for."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-popup-blocking",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"

# What could act or load, each with what it holds; the tally of a page.
TALLY = r"""
(() => {
  const tally = {}, add = (...words) => { const k = words.join(" "); tally[k] = (tally[k] || 0) + 1; };
  const tags = new Set(`script iframe frame frameset object embed applet svg math style link meta base form input
    button select option textarea video audio source track template portal marquee dialog noscript slot title
    map area canvas picture animate set use foreignobject fencedframe xmp plaintext`.split(/\s+/));
  const loads = new Set(`src srcset imagesrcset href xlink:href data poster background action formaction ping srcdoc
    code codebase archive longdesc cite profile manifest lowsrc dynsrc`.split(/\s+/));
  const plain = /^(https?:|mailto:|#|data:image\/(png|jpeg|gif|webp|svg\+xml);base64,)/i;
  for (const e of document.querySelectorAll("*")) {
    const tag = e.tagName.toLowerCase();
    if (tags.has(tag)) add(tag, tag === "script" || tag === "style" ? e.textContent.length : "");
    for (const {name, value} of e.attributes) {
      const low = name.toLowerCase();
      if (low.startsWith("on") || ["contenteditable", "autofocus", "is", "slot", "http-equiv"].includes(low))
        add(tag, low, value);
      else if (loads.has(low) && (tag !== "a" || !plain.test(value)) && !value.startsWith("data:image/"))
        add(tag, low, value);
      else if (low === "style" && /url|position|expression|import|image|@|\\/i.test(value)) add(tag, low, value);
      else if (low === "class" && /mermaid|jupyter-widgets|MathJax/i.test(value)) add(tag, low, value);
    }
  }
  return {tally, title: document.title, text: document.body ? document.body.innerText : ""};
})()
"""

# Open, point at, focus, type into and click everything; ordinary links do not leave the page.
POKE = r"""
(async (selector) => {
  addEventListener("click", e => {
    const link = e.target.closest && e.target.closest("a[href]");
    if (link && /^(https?|mailto):/.test(link.protocol)) e.preventDefault();
  }, true);
  addEventListener("submit", e => e.preventDefault(), true);
  for (const e of document.querySelectorAll(selector)) {
    try {
      if (e.tagName === "DETAILS") e.open = !e.open;
      if (e.focus) e.focus();
      for (const [Kind, names] of [
        [PointerEvent, ["pointerover", "pointerenter", "pointermove", "pointerdown", "pointerup"]],
        [MouseEvent, ["mouseover", "mouseenter", "mousemove", "mousedown", "mouseup", "dblclick", "contextmenu"]],
        [Event, ["input", "change", "toggle", "copy", "paste", "wheel", "scroll", "dragstart", "touchstart",
                 "animationstart", "transitionend", "beforetoggle", "select", "blur"]]])
        for (const name of names) e.dispatchEvent(new Kind(name, {bubbles: true, cancelable: true}));
      if (e.click) e.click(); else e.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    } catch (error) {}
  }
  await new Promise(done => setTimeout(done, 200));
  return location.href;
})(SELECTOR)
"""


class Trap:
    """A server on this machine: `show` gives a page an address, `heard` is what was asked for under /trap/."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._pages: dict[str, bytes] = {}
        trap = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/trap/"):
                    trap.heard.append(self.path.removeprefix("/trap/"))
                page = trap._pages.get(self.path, b"")
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(page)

            do_POST = do_PUT = do_HEAD = do_OPTIONS = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def show(self, name: str, page: str) -> str:
        """The address of a page."""
        self._pages[f"/pages/{name}"] = page.encode("utf-8", "replace")
        return f"{self.url}/pages/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Seen:
    """A page after it was loaded and everything on it was poked."""

    tally: Counter[str]
    title: str
    text: str
    asked: set[str] = field(default_factory=set)
    went: set[str] = field(default_factory=set)


class Browser:
    """Chromium, spoken to by its own debugging protocol."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium") or shutil.which("google-chrome") or ""
        self._process = subprocess.Popen(
            [program, *FLAGS, OFFLINE, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = profile / "DevToolsActivePort"
        until = time.monotonic() + 60
        while not (port.is_file() and port.read_text().strip()):
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("Chromium did not start")
            time.sleep(0.05)
        self._at = f"http://127.0.0.1:{port.read_text().split()[0]}"

    @staticmethod
    def missing() -> str:
        """Why there is no browser here, or nothing."""
        found = shutil.which("chromium") or shutil.which("google-chrome")
        return "" if found else "no Chromium: apt install chromium"

    def look(self, url: str, poke: str = "*", settle: float = 0.0) -> Seen:
        """Load a page, tally what is on it, then poke what the selector finds.

        Args:
            url: its address.
            poke: which elements are poked.
            settle: seconds to wait after it has loaded.
        """
        from websocket import create_connection

        asked = urllib.request.Request(f"{self._at}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(asked) as answer:
            target = json.load(answer)
        tab = _Tab(create_connection(target["webSocketDebuggerUrl"], timeout=90))
        try:
            for domain in ("Page", "Network", "Runtime"):
                tab.call(f"{domain}.enable")
            tab.call("Page.navigate", url=url)
            tab.until("Page.loadEventFired")
            tab.value(f"new Promise(done => setTimeout(done, {200 + 1000 * settle}))")
            found = tab.value(TALLY)
            tab.value(POKE.replace("SELECTOR", json.dumps(poke)))
            return Seen(Counter(found["tally"]), found["title"], found["text"], tab.asked, tab.went - {url})
        finally:
            tab.close()
            urllib.request.urlopen(f"{self._at}/json/close/{target['id']}").close()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class _Tab:
    """One page's end of the protocol; keeps what it asks the network for and where it goes."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._number = socket, 0
        self.asked: set[str] = set()
        self.went: set[str] = set()
        self._happened: set[str] = set()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = self._next()
            if message.get("id") == number:
                return message.get("result", {})

    def value(self, expression: str) -> Any:
        """What an expression comes to on the page; None where the page was left meanwhile."""
        ran = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return ran.get("result", {}).get("value")

    def until(self, event: str) -> None:
        while event not in self._happened:
            self._next()

    def _next(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv())
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.asked.add(params["request"]["url"][:300])
            case "Page.frameRequestedNavigation" | "Page.windowOpen":
                self.went.add(params["url"][:300])
            case "Page.javascriptDialogOpening":
                self.went.add(f"dialog {params['message'][:100]}")
                self._socket.send(
                    json.dumps({"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}})
                )
            case str(event):
                self._happened.add(event)
        return message

    def close(self) -> None:
        self._socket.close()
