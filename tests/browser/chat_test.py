#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The simulator's page as a person uses it, in chromium.

    chat_test.py --bot build/tests/browser/demo_bot     by itself
    chat_test.py --url http://127.0.0.1:8765/           against a running daemon

The dialogue follows what the bot shows (buttons, lists, a question for a cédula or a code), so both
bots are driven by the same lines. Writes TAP.
"""

import argparse
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zlib

from webdriver import Browser, WebDriverError

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTILE = "<img src=x onerror=\"document.title='mal'\"> *negrilla* _cursiva_ ~tachado~ `fijo`"

# Text whose contrast with what lies behind it is under 4.5 (WCAG 2.1, 1.4.3). Disabled controls are
# exempt there.
LOW_CONTRAST = """
const parse = (c) => (c.match(/[0-9.]+/g) || []).map(Number);
const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (node) => { const layers = [];
    for (let n = node; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor);
        const alpha = c.length > 3 ? c[3] : 1; if (alpha > 0) layers.push([c, alpha]);
        if (alpha === 1 && c.length) break; }
    let out = [255, 255, 255];
    for (const [c, a] of layers.reverse()) out = out.map((v, i) => v * (1 - a) + c[i] * a);
    return out; };
const bad = [];
for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || node.closest("[disabled], [aria-disabled=true], .sr, .skip")) continue;
    if (![...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const a = light(parse(getComputedStyle(node).color)), b = light(behind(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`);
}
return bad;
"""


class Tap:
    """Counts and prints results."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def run(self, name, check):
        try:
            check()
        except (AssertionError, WebDriverError) as failure:
            self.failed += 1
            print(f"not ok {self.passed + self.failed} - {name}\n# {failure!r}", flush=True)
            return
        self.passed += 1
        print(f"ok {self.passed + self.failed} - {name}", flush=True)


def photo(path):
    """A small orange PNG (www.w3.org/TR/png, 5)."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + b"\xe0\x80\x30" * 64 for _ in range(48))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Chat:
    """What the tests do on the page."""

    def __init__(self, browser, url, is_demo):
        self.browser = browser
        self.url = url
        self.is_demo = is_demo
        self.document = ""

    def get(self, path):
        with urllib.request.urlopen(urllib.parse.urljoin(self.url, path), timeout=30) as answer:
            return json.load(answer)

    def phone(self):
        return self.browser.run("return chat.phone")

    def events(self):
        return self.get(f"/api/events?phone={self.phone()}&wait=0")

    def say(self, text):
        self.browser.find("#text").type(text)
        self.browser.press("enter")

    def bubbles(self, who):
        return self.browser.find_all(f"#bubbles .from-{who}")

    def wait_answer(self, count):
        """The newest bubble of the bot, once it has more than count and has said its piece."""
        self.browser.wait_until("an answer", lambda: len(self.bubbles("bot")) > count)
        self.browser.wait_until("the end of the answer", self.is_quiet)
        return self.bubbles("bot")[-1]

    def is_quiet(self):
        before = len(self.bubbles("bot"))
        time.sleep(1.2)
        return len(self.bubbles("bot")) == before

    def last_tick(self, word):
        return self.bubbles("customer")[-1].find_all(f".tick.is-{word}")

    # ---- the tests, in order ----

    def test_opens(self):
        browser = self.browser
        browser.open(self.url)
        browser.wait_for(".customer")
        assert browser.run("return document.documentElement.lang") == "es-CO"
        people = self.get("/api/customers")["customers"]
        assert len(browser.find_all(".customer")) == len(people)
        who = next(i for i, one in enumerate(people) if one["mobile"])
        browser.find_all(".customer")[who].click()
        self.document = people[who]["document"]
        assert self.phone() == people[who]["mobile"]

    def test_ticks(self):
        self.say("Hola")
        self.browser.wait_until("a tick", lambda: self.browser.find_all(
            "#bubbles .from-customer .tick:not(.is-pending):not(.is-retrying)"))
        self.wait_answer(0)
        wanted = "read" if self.is_demo else "delivered"
        self.browser.wait_until(
            "two ticks", lambda: self.last_tick(wanted) or self.last_tick("read"))

    def test_dialogue(self):
        """To the balance, by whatever way the bot leads."""
        for _ in range(14):
            count = len(self.bubbles("bot"))
            newest = self.bubbles("bot")[-1]
            if any("$" in bubble.text() for bubble in self.bubbles("bot")):
                return
            self.react(newest)
            self.wait_answer(count)
        raise AssertionError("no balance after fourteen answers")

    def react(self, newest):
        text = newest.text()
        buttons = newest.find_all(".choice[aria-disabled=true]") or newest.find_all(".choice")
        if newest.attribute("data-kind") == "list":
            self.pick_row(newest, "saldo")
        elif buttons:
            self.tap_button(newest, buttons)
        elif "código" in text.lower():
            self.type_code()
        elif "cédula" in text.lower():
            self.browser.find(".paste:not([hidden])").click()
            assert self.browser.run("return document.activeElement.id") == "text"
            self.browser.press("enter")
        else:
            self.say("Quiero saber mi saldo")

    def tap_button(self, newest, buttons):
        yes = [button for button in buttons if button.text().startswith("Sí")]
        (yes or buttons)[0].click()
        self.browser.wait_until("buttons answer once",
                                lambda: newest.find_all(".choice[aria-disabled=true]"))
        assert self.bubbles("customer")[-1].find_all(".quoted"), "a tap quotes its message"

    def pick_row(self, newest, word):
        """By keyboard alone: open, leave, open again, choose, send."""
        browser = self.browser
        opener = newest.find_all(".choice")[0]
        browser.run("arguments[0].focus()", opener)
        browser.press("enter")
        browser.wait_for("#sheet[open]")
        assert browser.find("#sheet-send").attribute("disabled"), "nothing is chosen yet"
        browser.press("escape")
        browser.wait_until("the sheet closes", lambda: not browser.find_all("#sheet[open]"))
        assert browser.run("return document.activeElement === arguments[0]", opener)
        browser.press("enter")
        browser.wait_for("#sheet[open]")
        rows = browser.find_all("#sheet-rows label")
        place = next(i for i, row in enumerate(rows) if word in row.text().lower())
        browser.press("space")
        for _ in range(place):
            browser.press("down")
        assert len(browser.find_all("#sheet-rows input:checked")) == 1
        browser.press("enter")
        browser.wait_until("the sheet closes", lambda: not browser.find_all("#sheet[open]"))
        assert word in self.bubbles("customer")[-1].text().lower()

    def type_code(self):
        sms = self.browser.wait_for("#sms-log .text")
        code = re.search(r"\b\d{6}\b", self.browser.find_all("#sms-log .text")[-1].text())
        assert code, f"no code in {sms.text()!r}"
        self.say(code.group(0))

    def test_statuses(self):
        def all_read():
            chat = self.events()["chat"]
            return all(item["state"] == "read" for item in chat if item["from"] == "bot")
        self.browser.wait_until("everything seen is read", all_read)
        states = [item["state"] for item in self.events()["sms"]]
        assert states and set(states) == {"delivered"}, states

    def test_document(self):
        if not self.is_demo:
            return
        link = self.browser.wait_for(".from-bot a.file")
        with urllib.request.urlopen(urllib.parse.urljoin(self.url, link.attribute("href"))) as file:
            assert file.read(5) == b"%PDF-"
            assert "attachment" in file.headers["Content-Disposition"]

    def test_photo(self):
        count = len(self.bubbles("bot"))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "cédula.png")
            photo(path)
            self.browser.find("#attach input[data-type=image]").type(path)
            self.browser.wait_until("the photo is shown", lambda: self.browser.run(
                "const p = document.querySelector('.from-customer .photo');"
                "return p && p.naturalWidth === 64"))
        self.wait_answer(count)

    def test_text_is_only_text(self):
        count = len(self.bubbles("bot"))
        self.say(HOSTILE)
        mine = self.bubbles("customer")[-1]
        body = mine.find_all(".body")[0]
        assert body.text().startswith("<img src=x onerror="), body.text()
        assert not body.find_all("img")
        assert [n.text() for n in body.find_all("strong, em, s, code")] == [
            "negrilla", "cursiva", "tachado", "fijo"]
        assert self.browser.run("return document.title") != "mal"
        self.wait_answer(count)

    def test_quote_and_reaction(self):
        browser = self.browser
        newest = self.bubbles("bot")[-1]
        browser.run("arguments[0].querySelector('.tools').open = true", newest)
        newest.find_all(".tools .menu > button")[0].click()
        assert browser.find("#quote-text").text()
        count = len(self.bubbles("bot"))
        self.say("Sobre esto")
        browser.wait_until("a quote", lambda: self.bubbles("customer")[-1].find_all(".quoted"))
        self.wait_answer(count)
        browser.run("arguments[0].querySelector('.tools').open = true", newest)
        newest.find_all(".emojis button")[0].click()
        browser.wait_until("a reaction", lambda: newest.find_all(".reaction"))

    def test_reload_keeps_the_chat(self):
        before = [len(self.bubbles("bot")), len(self.bubbles("customer"))]
        self.browser.call("POST", "/refresh", {})
        self.browser.wait_until("the same chat", lambda: [
            len(self.bubbles("bot")), len(self.bubbles("customer"))] == before)
        assert self.browser.find_all("#sms-log .text")

    def test_two_telephones(self):
        browser = self.browser
        first = self.phone()
        browser.find("input[name=as][value=hidden]").click()
        browser.find("#phone-form button[type=submit]").click()
        assert self.phone().startswith("CO."), self.phone()
        assert not self.bubbles("bot")
        count = len(self.bubbles("bot"))
        self.say("Hola")
        self.wait_answer(count)
        browser.find("#phone").type("x")
        browser.find("#phone-form button[type=submit]").click()
        browser.find("input[name=as][value=own]").click()
        browser.find("#phone-form button[type=submit]").click()
        assert self.phone() == first
        browser.wait_until("the first chat again", lambda: len(self.bubbles("bot")) > 1)

    def no_overflow(self):
        wide = self.browser.run(
            "return [document.documentElement.scrollWidth, window.innerWidth,"
            " document.getElementById('log').scrollWidth, document.getElementById('log').clientWidth]")
        assert wide[0] <= wide[1] and wide[2] <= wide[3], wide

    def test_narrow(self):
        browser = self.browser
        browser.resize(390, 844)
        self.no_overflow()
        assert browser.run("return document.getElementById('sms').offsetParent === null")
        browser.find(".sms-button").click()
        assert browser.find_all("#sms-log .text")[-1].text()
        assert browser.run("return document.getElementById('chat').offsetParent === null")
        browser.find("#sms button").click()
        browser.find(".chat-head [data-view=people]").click()
        assert browser.find(".customer").text()
        browser.find("#people .pane-head button").click()
        browser.resize(320, 640)
        self.no_overflow()
        browser.resize(1360, 860)

    def test_zoom(self):
        """1280 pixels at 200 % are 640 (WCAG 2.1, 1.4.4); text alone doubled, too."""
        self.browser.resize(640, 400)
        self.no_overflow()
        self.browser.resize(1360, 860)
        self.browser.run("document.documentElement.style.fontSize = '32px'")
        self.no_overflow()
        self.browser.run("document.documentElement.style.fontSize = ''")

    def test_names(self):
        for css in ("button", "textarea", "input:not([type=file])", "summary", "[role=log]"):
            for node in self.browser.run("return [...document.querySelectorAll(arguments[0])]"
                                         ".filter((n) => n.checkVisibility()).slice(0, 25)", css):
                reference = list(node.values())[0]
                label = self.browser.call("GET", f"/element/{reference}/computedlabel")
                assert label, f"a {css} without a name"

    def test_contrast(self):
        bad = self.browser.run(LOW_CONTRAST)
        assert not bad, bad

    def test_calm(self):
        self.browser.emulate("prefers-reduced-motion", "reduce")
        name = self.browser.run(
            "document.getElementById('typing').hidden = false;"
            "const n = getComputedStyle(document.querySelector('.typing i')).animationName;"
            "document.getElementById('typing').hidden = true; return n")
        assert name == "none", name
        self.browser.emulate("prefers-reduced-motion", "")

    def test_stays_at_home(self):
        host = urllib.parse.urlsplit(self.url).netloc
        addresses = self.browser.requests()
        assert addresses
        strange = [a for a in addresses if urllib.parse.urlsplit(a).netloc != host]
        assert not strange, strange

    def test_no_complaints(self):
        complaints = self.browser.complaints()
        assert not complaints, complaints


TESTS = [
    ("the page opens and lists the customers", Chat.test_opens),
    ("a message gets its ticks", Chat.test_ticks),
    ("a dialogue to the balance: buttons, list by keyboard, code from the SMS", Chat.test_dialogue),
    ("what is seen is reported as read, the SMS as delivered", Chat.test_statuses),
    ("a document can be saved", Chat.test_document),
    ("a photo goes out and is shown", Chat.test_photo),
    ("text is never markup, and is formatted as WhatsApp does", Chat.test_text_is_only_text),
    ("quotes and reactions", Chat.test_quote_and_reaction),
    ("a reload shows the chat again", Chat.test_reload_keeps_the_chat),
    ("each telephone has its own chat, with or without a number", Chat.test_two_telephones),
    ("telephones: 390 and 320 pixels", Chat.test_narrow),
    ("zoom to 200 %", Chat.test_zoom),
    ("every control has a name", Chat.test_names),
    ("contrast of 4.5 at least", Chat.test_contrast),
    ("no motion for those who don't want it", Chat.test_calm),
    ("no request leaves the simulator", Chat.test_stays_at_home),
    ("nothing in the console", Chat.test_no_complaints),
]


class Bot:
    """demo_bot as a child; the same port again after restart()."""

    def __init__(self, program):
        self.program = program
        self.port = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, str(self.port), os.path.join(HERE, "customers.json")],
            stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.port = urllib.parse.urlsplit(self.url).port

    def stop(self):
        self.process.terminate()
        return self.process.wait(15)

    def kill(self):
        self.process.kill()
        self.process.wait(15)


def outage(chat, bot):
    """The daemon dies: what is written meanwhile is kept, and arrives once."""
    bot.kill()
    chat.say("¿Sigue ahí?")
    chat.browser.wait_until("the page says so", lambda: chat.last_tick("retrying"))
    assert "Sin conexión" in chat.browser.wait_for("#banner:not([hidden])").text()
    assert "Reintentando" in chat.bubbles("customer")[-1].text()
    bot.start()
    chat.browser.wait_until("the message arrives", lambda: not chat.last_tick("retrying"))
    chat.browser.wait_until("the banner goes", lambda: chat.browser.find_all("#banner[hidden]"))
    texts = [item.get("body") for item in chat.events()["chat"] if item["from"] == "customer"]
    assert texts == ["¿Sigue ahí?"], texts


def main():
    parser = argparse.ArgumentParser()
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url")
    where.add_argument("--bot")
    parser.add_argument("--screenshot", help="keep one of the dialogue's end in this file")
    options = parser.parse_args()
    bot = Bot(options.bot) if options.bot else None
    tap = Tap()
    try:
        with Browser() as browser:
            browser.resize(1360, 860)
            chat = Chat(browser, bot.url if bot else options.url, bool(bot))
            for name, check in TESTS:
                tap.run(name, lambda check=check: check(chat))
                if check is Chat.test_statuses and options.screenshot:
                    browser.screenshot(options.screenshot)
            if bot:
                tap.run("the daemon dies and comes back", lambda: outage(chat, bot))
    finally:
        if bot:
            status = bot.stop()
    if bot and status != 0:
        print(f"# demo_bot ended with {status}")
        tap.failed += 1
    print(f"1..{tap.passed + tap.failed}\n# {tap.passed} passed, {tap.failed} failed")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
