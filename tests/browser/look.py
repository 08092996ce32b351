#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Open pages in a headless Chromium and print what it saw, as JSON: look.py [--shots DIR] FILE...

One browser for all of them, spoken to over a pipe (Chrome DevTools Protocol). Of each file, light and dark, 1280 and 400 px wide: what the page asked for, what was
logged, the least contrast of a text with its ground, whether it is wider than the screen; once: headings, landmarks, labels, where Tab goes first, and the printed pages.
"""
import base64, json, os, re, select, subprocess, sys, tempfile, time

WATCHED = ("Network.requestWillBeSent", "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening")

SCREEN = r"""(() => {
  const channels = text => { const m = text.match(/[\d.]+/g); return m ? m.map(Number) : [0, 0, 0, 0]; };
  const luminance = c => { const l = c.slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
    return [255, 255, 255]; };
  let least = 99, of = "", texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !e.getClientRects().length || e.closest("title, desc")) continue;
    const style = getComputedStyle(e), a = luminance(channels(e.closest("svg") ? style.fill : style.color)), b = luminance(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    texts++;
    if (ratio < least) { least = ratio; of = e.tagName + "." + (e.getAttribute("class") || "") + ": " + node.textContent.trim().slice(0, 40); }
  }
  return { contrast: least, of, texts, width: document.documentElement.scrollWidth, ground: getComputedStyle(document.body).backgroundColor };
})()"""

PAGE = r"""(() => {
  const all = q => [...document.querySelectorAll(q)], ids = all("[id]").map(e => e.id);
  const levels = all("h1, h2, h3").map(e => +e.tagName[1]);
  return {
    title: document.title, text: document.body.innerText, ids, duplicates: ids.filter((id, i) => ids.indexOf(id) !== i),
    levelSkips: levels.filter((l, i) => i && l > levels[i - 1] + 1).length, h1: all("h1").length, h2: all("h2").map(e => e.textContent),
    landmarks: ["header", "nav", "main", "footer"].filter(t => all(t).length === 1),
    scripts: all("script, iframe, object, embed, img, form").length, handlers: all("*").filter(e => [...e.attributes].some(a => /^on/i.test(a.name))).length,
    elements: [...new Set(all("*").map(e => e.tagName.toLowerCase()))].sort(),
    links: all("a[href], link[href]").map(e => e.getAttribute("href")), deadLinks: all("a[href^='#']").filter(a => !document.getElementById(a.hash.slice(1))).length,
    tables: all("table").length, captions: all("table > caption").length, heads: all("th").length, scopes: all("th[scope]").length,
    fields: all("input, textarea").length, labelled: all("input[aria-label], textarea[aria-label]").length,
    figures: all("svg[role=img]").map(s => [...s.querySelectorAll(":scope > title, :scope > desc")].map(e => e.textContent)),
    sections: all("section").map(s => s.id),
  };
})()"""


class Browser:
    def __init__(self, profile):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        os.set_inheritable(theirs_in, True)
        os.set_inheritable(theirs_out, True)
        # dash: the protocol is read from 3 and written to 4
        script = 'exec 3<&%d 4>&%d; exec "$@"' % (theirs_in, theirs_out)
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--mute-audio", "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir=" + profile]
        self.process = subprocess.Popen(["bash", "-c", script, "browser", os.environ.get("CHROMIUM", "chromium"), *flags, "about:blank"],
                                        pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.read_fd, self.write_fd = ours_in, ours_out
        self.buffer, self.number, self.session, self.events = b"", 0, None, []

    def message(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.read_fd], [], [], max(0, deadline - time.monotonic()))[0]:
                sys.exit("look: the browser does not answer")
            piece = os.read(self.read_fd, 1 << 20)
            if not piece:
                sys.exit("look: the browser is gone")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        call = {"id": self.number, "method": method, "params": params}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(call).encode() + b"\0")
        deadline = time.monotonic() + 60
        while True:
            answer = self.message(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit("look: %s: %s" % (method, answer["error"]))
                return answer["result"]
            self.events.append(answer)

    def until(self, method):
        deadline = time.monotonic() + 60
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.message(deadline))

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"]["value"]

    def page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(domain + ".enable")

    def screen(self, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])


def look(browser, path, shots):
    name = os.path.splitext(os.path.basename(path))[0]
    url = "file://" + os.path.abspath(path)
    browser.events = []
    browser.screen(1280, "light")
    browser.call("Page.navigate", url=url)
    browser.until("Page.loadEventFired")
    seen = {"page": browser.evaluate(PAGE), "screens": {}}
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    seen["firstFocus"] = browser.evaluate("document.activeElement.className + ' ' + (document.activeElement.getAttribute('href') || '')")
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            browser.screen(width, scheme)
            seen["screens"]["%d %s" % (width, scheme)] = browser.evaluate(SCREEN)
            if shots:
                shot = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
                with open(os.path.join(shots, "%s-%d-%s.png" % (name, width, scheme)), "wb") as file:
                    file.write(base64.b64decode(shot["data"]))
    browser.call("Emulation.setEmulatedMedia", media="", features=[])
    pdf = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
    seen["pdf"] = {"bytes": len(pdf), "pages": len(re.findall(rb"/Type\s*/Page\b", pdf)), "is": pdf[:5].decode("latin-1")}
    if shots:
        with open(os.path.join(shots, name + ".pdf"), "wb") as file:
            file.write(pdf)
    events = [e for e in browser.events if e.get("method") in WATCHED]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    seen["requests"] = [u for u in asked if u != url and not u.startswith("data:")]
    seen["logged"] = [e["params"] for e in events if e["method"] != "Network.requestWillBeSent"]
    return seen


def main(arguments):
    shots = None
    if arguments[:1] == ["--shots"]:
        shots, arguments = arguments[1], arguments[2:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        browser.page()
        result = {os.path.splitext(os.path.basename(path))[0]: look(browser, path, shots) for path in arguments}
        browser.session = None
        browser.call("Browser.close")
        browser.process.wait(20)
    json.dump(result, sys.stdout, indent=1)


main(sys.argv[1:])
