#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job as a person does it, in chromium, on the page of the real demonstration (`make run`).

    chat_test.py                                  starts a demonstration of its own, and ends it
    chat_test.py --url http://127.0.0.1:8765/     one that runs, and that nobody has written to yet
    chat_test.py --screenshot FILE                keeps a picture of the balance

What a test says and hears goes on where the one before it ended. Prints TAP.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "../support"))

import tap
from webdriver import Browser

BUILD = os.path.join(TOP, os.environ.get("B", "build"))
PSQL = "/usr/lib/postgresql/15/bin/psql"
STRANGER = "1999000777"  # of nobody in the core
HOSTILE = "<img src=x onerror=\"document.title='mal'\"> *negrilla* _cursiva_ ~tachado~ `fijo`"
SERVICES = ["Mi saldo", "Estado de mi solicitud", "Paz y salvo", "Renovar mi crédito", "Pedir un crédito",
            "Mis datos", "Quejas y reclamos", "Reportar un fraude", "Hablar con un asesor"]
MONTHS = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
          "octubre", "noviembre", "diciembre"]

# The one credit of a customer, from the tables that its figures are counted in.
CREDIT = """
SELECT json_build_object('payroll', p.nombre, 'number', right(num_cre, 4),
    'balance', sum(valor) FILTER (WHERE NOT pagada)::bigint,
    'paid', count(*) FILTER (WHERE pagada), 'pending', count(*) FILTER (WHERE NOT pagada),
    'instalment', vlr_cuota::bigint,
    'next', min(fec_venc) FILTER (WHERE NOT pagada AND fec_venc >= fecha_proceso), 'cut', fecha_corte)
FROM core_demo.cliente JOIN core_demo.credito USING (cod_cli) JOIN core_demo.cuota USING (num_cre)
    JOIN core_demo.pagaduria AS p USING (cod_pag) CROSS JOIN core_demo.core_info
WHERE num_doc = '{document}' GROUP BY p.nombre, num_cre, vlr_cuota, fecha_corte
"""

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


def photo(path):
    """A small orange PNG (www.w3.org/TR/png, 5)."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + b"\xe0\x80\x30" * 64 for _ in range(48))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pesos(amount):
    return "$ " + f"{amount:,}".replace(",", ".")


def long_date(iso):
    year, month, day = iso.split("-")
    return f"{int(day)} de {MONTHS[int(month) - 1]} de {year}"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


class Demonstration:
    """`make run` on a free port, with a folder of its own that is new and goes at the end."""

    def __init__(self):
        # Not TMPDIR: the path of a socket is short.
        self.folder = tempfile.TemporaryDirectory(prefix="proalto-browser.", dir="/tmp")
        self.home = self.folder.name
        self.port = free_port()
        self.process = None

    def start(self):
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        self.process = subprocess.Popen(
            ["make", "-C", TOP, "--no-print-directory", "run", f"PORT={self.port}", f"RUN={self.home}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        said = []
        for line in self.process.stdout:
            said.append(line)
            if "http://" in line:
                return re.search(r"http://\S+", line).group()
        raise AssertionError("make run ended:\n" + "".join(said))

    def interrupt(self):
        """Ctrl-C, which a terminal tells to make and to its script alike."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=60)

    def processes(self):
        """Whatever runs and was told of the folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.home in words and int(pid) != os.getpid():
                found.append(f"{pid} {words}")
        return found

    def end(self):
        if self.process and self.process.poll() is None:
            self.interrupt()
        self.folder.cleanup()


class Chat:
    """What a person does and sees on the page."""

    def __init__(self, browser, url, home, own, screenshot):
        self.browser = browser
        self.url = url
        self.home = home
        self.own = own
        self.picture = screenshot
        self.heard = 0

    def core(self, query):
        """One value of the demonstration's core."""
        done = subprocess.run([PSQL, "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", f"{self.home}/socket",
                               "-U", "demo_admin", "-d", "core_demo", "-c", query],
                              capture_output=True, text=True, check=False)
        tap.check(done.returncode == 0, "the demonstration's core can't be asked", done.stderr)
        return json.loads(done.stdout)

    def get(self, path):
        with urllib.request.urlopen(urllib.parse.urljoin(self.url, path), timeout=30) as answer:
            return json.load(answer)

    def phone(self):
        return self.browser.run("return chat.phone")

    def events(self):
        query = urllib.parse.urlencode({"phone": self.phone(), "sms": self.browser.run("return chat.sms")})
        return self.get(f"/api/events?{query}&wait=0")

    # ---- who writes ----

    def be(self, who, phone="own"):
        """A customer of the list, by his place there, on his own telephone or another."""
        browser = self.browser
        browser.find_all(".customer")[who].click()
        if phone != "own":
            browser.find(f"input[name=as][value={phone}]").click()
            browser.find("#phone-form button[type=submit]").click()
        self.heard = 0

    # ---- talking ----

    def say(self, text):
        self.browser.find("#text").type(text)
        self.browser.press("enter")

    def bubbles(self, who):
        return self.browser.find_all(f"#bubbles .from-{who}")

    def hears(self, *patterns):
        """The next bubbles of the bot, in this order; returns the last."""
        bubbles = self.waits(len(patterns))
        for bubble, pattern in zip(bubbles, patterns):
            tap.check(re.search(pattern, self.body(bubble), re.S), f"not ~{pattern}~ but", self.body(bubble))
        return bubbles[-1]

    def waits(self, count):
        """The next so many bubbles of the bot."""
        first = self.heard
        self.heard += count
        self.browser.wait_until(f"{count} more from the bot after {first}",
                                lambda: len(self.bubbles("bot")) >= self.heard)
        return self.bubbles("bot")[first:self.heard]

    def hears_no_more(self):
        time.sleep(1.5)
        tap.equal([self.body(b) for b in self.bubbles("bot")[self.heard:]], [], "more from the bot")

    def body(self, bubble):
        found = bubble.find_all(".body")
        return found[0].text() if found else ""

    def choices(self, bubble):
        return [choice.text() for choice in bubble.find_all(".choice")]

    def tap_button(self, bubble, title):
        next(b for b in bubble.find_all(".choice") if b.text() == title).click()
        self.browser.wait_until("buttons answer once", lambda: len(
            bubble.find_all(".choice[aria-disabled=true]")) == len(bubble.find_all(".choice")))
        tap.check(self.bubbles("customer")[-1].find_all(".quoted"), "a tap quotes its message")

    def is_marked(self, *states):
        newest = self.bubbles("customer")[-1]
        return any(newest.find_all(f".tick.is-{state}") for state in states)

    def sms(self):
        return [text.text() for text in self.browser.find_all("#sms-log .text")]

    def code(self, count=1):
        """The code in the SMS pane, once that many SMS are there."""
        self.browser.wait_until("an SMS", lambda: len(self.sms()) == count)
        found = re.search(r"\b\d{6}\b", self.sms()[-1])
        tap.check(found, "no code in the SMS", self.sms()[-1])
        return found.group()

    def reload(self):
        self.browser.call("POST", "/refresh", {})

    def shows_the_end(self):
        self.browser.wait_until("the chat shows its end", lambda: self.browser.run(
            "const log = document.getElementById('log');"
            "return log.scrollHeight - log.scrollTop - log.clientHeight < 2"), 5)

    def no_overflow(self):
        page, window, log, room = self.browser.run(
            "const log = document.getElementById('log');"
            "return [document.documentElement.scrollWidth, innerWidth, log.scrollWidth, log.clientWidth]")
        tap.check(page <= window and log <= room, f"{page} in {window}, the chat {log} in {room}")


# ---- how it starts, and how not ----

def refused(words, programs=None, script=f"{TOP}/etc/demo/run", **more):
    """That it does not start, and says why; programs: all that there are."""
    environment = {k: v for k, v in os.environ.items() if k != "PACKAGES"}
    if programs:
        environment["PATH"] = programs
    done = subprocess.run([script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20,
                          check=False, env=dict(environment, **more.pop("variables", {})), **more)
    tap.check(done.returncode == 1, f"exit {done.returncode}", done.stdout)
    for one in words:
        tap.check(one in done.stdout, f"{one!r} is not said", done.stdout)


def programs_in(folder, *names):
    """A folder for PATH in which there is nothing else."""
    path = os.path.join(folder, "bin")
    os.mkdir(path)
    for name in names:
        os.symlink(shutil.which(name), os.path.join(path, name))
    return path


def busy(chat):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused([f"already listens on port {port}", f"make run PORT={port + 1}"], variables={"PORT": str(port)})


def without_apt(chat):
    with tempfile.TemporaryDirectory() as folder:
        refused(["there is no apt-get", "etc/demo/packages", "make run PACKAGES=no"],
                programs_in(folder, "dirname", "realpath", "rm", "dpkg-query"), variables={"PORT": free_port()})


def without_root(chat):
    """Nothing is installed, and there is no sudo. A copy: not everybody may see the sources."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        programs = programs_in(folder, "dirname", "realpath", "rm", "grep", "id", "apt-get")
        with open(f"{programs}/dpkg-query", "w") as file:
            file.write("#!/bin/sh\nexit 1\n")
        os.chmod(f"{programs}/dpkg-query", 0o755)
        shutil.copytree(f"{TOP}/etc/demo", f"{folder}/etc/demo")
        who = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        refused(["installing them takes root", "As root: apt-get install ", "postgresql-15"], programs,
                f"{folder}/etc/demo/run", variables={"PORT": free_port()}, **who)


def unprivileged(chat):
    if not chat.own:
        raise tap.Skip("this demonstration is not ours to look into")
    owners = {}
    for process in chat.own.processes():
        pid = process.split()[0]
        with open(f"/proc/{pid}/comm") as file:
            owners[file.read().strip()] = os.stat(f"/proc/{pid}").st_uid
    for name in "proaltod", "postgres":
        tap.check(owners.get(name, 0) != 0, f"{name} runs as root, or not at all", owners)


def many(chat):
    tap.check(chat.core("SELECT count(*) FROM core_demo.cliente") >= 5000, "the core has few customers")


# ---- the main job ----

def opens(chat):
    chat.browser.open(chat.url)
    chat.browser.wait_for(".customer")
    tap.equal(chat.browser.run("return document.documentElement.lang"), "es-CO", "the language")
    people = chat.get("/api/customers")["customers"]
    tap.equal([node.text() for node in chat.browser.find_all(".customer b")],
              [one["label"] for one in people], "the customers")
    chat.be(0)
    tap.equal(chat.phone(), people[0]["mobile"], "who writes")


def greets(chat):
    chat.say("Hola")
    chat.browser.wait_until("two ticks", lambda: chat.is_marked("delivered", "read"))
    consent = chat.hears(r"Asistente Virtual de ProAlto\b.*Soy un programa", r"¿Autoriza este uso de sus datos\?$")
    tap.equal(chat.choices(consent), ["Sí, autorizo", "No autorizo", "Leer la política"], "the choices")
    chat.tap_button(consent, "Leer la política")
    chat.hears(r"política de datos de ProAlto:\nhttps://")
    consent = chat.hears(r"¿Autoriza este uso de sus datos\?$")
    chat.tap_button(consent, "Sí, autorizo")
    menu = chat.hears(r"Gracias por su permiso.*¿En qué le puedo ayudar\?$")
    tap.equal(menu.attribute("data-kind"), "list", "the menu's kind")


def picks(chat):
    """The balance, in the list by keyboard alone: open, leave, open again, choose, send."""
    browser = chat.browser
    opener = chat.bubbles("bot")[-1].find_all(".choice")[0]
    browser.run("arguments[0].focus()", opener)
    browser.press("enter")
    browser.wait_for("#sheet[open]")
    tap.check(browser.find("#sheet-send").attribute("disabled"), "something is chosen already")
    browser.press("escape")
    browser.wait_until("the sheet closes", lambda: not browser.find_all("#sheet[open]"))
    tap.check(browser.run("return document.activeElement === arguments[0]", opener), "the focus is lost")
    browser.press("enter")
    browser.wait_for("#sheet[open]")
    rows = browser.find_all("#sheet-rows label")
    tap.equal([row.text().split("\n")[0] for row in rows], SERVICES, "the rows")
    browser.press("down")
    browser.press("up")
    tap.equal(len(browser.find_all("#sheet-rows input:checked")), 1, "how many are chosen")
    browser.press("enter")
    browser.wait_until("the sheet closes", lambda: not browser.find_all("#sheet[open]"))
    tap.check("Mi saldo" in chat.bubbles("customer")[-1].text(), "the choice is not in the chat")
    question = chat.hears(r"¿Cuál es su número de cédula\?$")
    tap.equal(chat.choices(question), ["Hablar con asesor"], "the choices")


def identifies(chat):
    chat.browser.find(".paste:not([hidden])").click()
    tap.equal(chat.browser.run("return document.activeElement.id"), "text", "the focus")
    chat.browser.press("enter")
    chat.hears(r"^Si esa cédula está registrada.*Nadie le pedirá este código por llamada.*6 números",
               r"celular terminado en 01\.$")
    code = chat.code()
    chat.say(f"{(int(code) + 1) % 1000000:06}")
    chat.hears(r"Ese código no es\. Le quedan 2 intentos")


def reloads(chat):
    def seen():
        return [chat.bubbles("bot"), chat.bubbles("customer"), chat.browser.find_all("#sms-log .text"),
                chat.browser.find_all(".choice[aria-disabled=true]")]
    before = [len(nodes) for nodes in seen()]
    texts = [chat.body(bubble) for bubble in chat.bubbles("bot")]
    chat.reload()
    chat.browser.wait_until("the same chat", lambda: [len(nodes) for nodes in seen()] == before)
    tap.equal([chat.body(bubble) for bubble in chat.bubbles("bot")], texts, "what the bot said")


def answers(chat):
    document = chat.get("/api/customers")["customers"][0]["document"]
    credit = chat.core(CREDIT.format(document=document))
    chat.say(chat.code())
    balance = chat.hears(r"cédula terminada en " + document[-3:])
    tap.equal(chat.body(balance).split("\n\n")[1].split("\n"), [
        f"Este es su crédito de {credit['payroll']}, terminado en {credit['number']}.",
        f"Le falta por pagar: {pesos(credit['balance'])}.",
        f"Cuotas pagadas: {credit['paid']}.",
        f"Cuotas pendientes: {credit['pending']}.",
        f"Próximo descuento de nómina: {pesos(credit['instalment'])}.",
        f"Fecha del descuento: {long_date(credit['next'])}.",
        f"Datos con corte al {long_date(credit['cut'])}."], "the balance")
    more = chat.hears(r"¿Le ayudo con algo más\?$")
    tap.equal(chat.choices(more), ["Otra consulta", "No, gracias", "No soy yo"], "the choices")
    chat.browser.wait_until("the core is asked, the code is read", lambda: chat.is_marked("read"))
    chat.hears_no_more()
    if chat.picture:
        chat.browser.screenshot(chat.picture)


def reports(chat):
    def is_all_read():
        return all(item["state"] == "read" for item in chat.events()["chat"] if item["from"] == "bot")
    chat.browser.wait_until("everything seen is read", is_all_read)
    tap.equal([item["state"] for item in chat.events()["sms"]], ["delivered"], "the SMS")


def neutral(chat):
    """From a telephone that is not registered: the words are the same for a customer and for nobody."""
    tap.equal(chat.core(f"SELECT count(*) FROM core_demo.cliente WHERE num_doc = '{STRANGER}'"), 0,
              "customers with the stranger's document")
    said = []
    for who, document in (1, chat.get("/api/customers")["customers"][1]["document"]), (2, STRANGER):
        chat.be(who, "other")
        chat.say("Quiero saber mi saldo")
        chat.tap_button(chat.hears(r"su saldo", r"¿Autoriza"), "Sí, autorizo")
        chat.hears(r"¿Cuál es su número de cédula\?$")
        chat.say(document)
        said.append(chat.body(chat.hears(r"^Si esa cédula está registrada")))
        if document != STRANGER:
            chat.code()
        chat.say("123456")
        said.append(chat.body(chat.hears(r"^Ese código no es\. Le quedan 2 intentos")))
        chat.hears_no_more()
    tap.equal(said[2:], said[:2], "what a stranger is told")
    tap.equal(chat.sms(), [], "the SMS")
    tap.equal(chat.events()["sms"], [], "the SMS that the simulator has")


# ---- the rest of the page ----

def photos(chat):
    chat.be(0)
    chat.browser.wait_until("the first chat", lambda: len(chat.bubbles("bot")) > 8)
    chat.heard = len(chat.bubbles("bot"))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cédula.png")
        photo(path)
        chat.browser.find("#attach input[data-type=image]").type(path)
        chat.browser.wait_until("the photo is shown", lambda: chat.browser.run(
            "const p = document.querySelector('.from-customer .photo');"
            "return p && p.naturalWidth === 64"))
    chat.hears(r"^Gracias por el archivo")


def documents(chat):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "desprendible.pdf")
        with open(path, "wb") as file:
            file.write(b"%PDF-1.4\n%%EOF\n")
        chat.browser.find("#attach input[data-type=document]").type(path)
        link = chat.browser.wait_for(".from-customer a.file")
    with urllib.request.urlopen(urllib.parse.urljoin(chat.url, link.attribute("href"))) as file:
        tap.equal(file.read(), b"%PDF-1.4\n%%EOF\n", "the file")
        tap.check("attachment" in file.headers["Content-Disposition"], "it would be opened, not saved")
    chat.hears(r"^Gracias por el archivo")


def is_only_text(chat):
    chat.say(HOSTILE)
    body = chat.bubbles("customer")[-1].find_all(".body")[0]
    tap.check(body.text().startswith("<img src=x onerror="), "other words", body.text())
    tap.equal(len(body.find_all("img")), 0, "pictures made of text")
    tap.equal([node.text() for node in body.find_all("strong, em, s, code")],
              ["negrilla", "cursiva", "tachado", "fijo"], "what is formatted")
    tap.check(chat.browser.run("return document.title") != "mal", "the text was run")
    chat.hears(r"no le entendí")


def quotes(chat):
    newest = chat.bubbles("bot")[-1]
    chat.browser.run("arguments[0].querySelector('.tools').open = true", newest)
    newest.find_all(".tools .menu > button")[0].click()
    tap.check(chat.browser.find("#quote-text").text(), "nothing is quoted")
    chat.say("menú")
    chat.browser.wait_until("a quote", lambda: chat.bubbles("customer")[-1].find_all(".quoted"))
    chat.hears(r"¿En qué le puedo ayudar\?$")
    chat.browser.run("arguments[0].querySelector('.tools').open = true", newest)
    newest.find_all(".emojis button")[0].click()
    chat.browser.wait_until("a reaction", lambda: newest.find_all(".reaction"))


def telephones(chat):
    """Without a number to show; and a telephone that is none."""
    browser = chat.browser
    chat.be(0, "hidden")
    tap.check(chat.phone().startswith("CO."), "who writes", chat.phone())
    tap.equal(len(chat.bubbles("bot")), 0, "bubbles in a new chat")
    chat.say("Hola")
    chat.hears(r"Soy un programa", r"¿Autoriza")
    browser.run("document.getElementById('phone').value = ''")
    browser.find("#phone").type("300")
    browser.find("#phone-form button[type=submit]").click()
    tap.check("celular con 57" in browser.find("#phone-note").text(), "a wrong telephone is not refused")
    chat.be(0)
    browser.wait_until("the first chat again", lambda: len(chat.bubbles("bot")) > 8)


def narrow(chat):
    browser = chat.browser
    chat.heard = len(chat.bubbles("bot"))
    browser.resize(390, 844)
    chat.no_overflow()
    chat.shows_the_end()
    tap.check(browser.run("return document.getElementById('sms').offsetParent === null"), "two panes at once")
    browser.find(".sms-button").click()
    tap.check(chat.sms()[-1], "no SMS is shown")
    tap.check(browser.run("return document.getElementById('chat').offsetParent === null"), "two panes at once")
    browser.run("send({type: 'text', text: 'menú'})")
    chat.waits(1)
    browser.find("#sms button").click()
    chat.shows_the_end()
    browser.find(".chat-head [data-view=people]").click()
    tap.check(browser.find(".customer").text(), "no customer is shown")
    browser.find("#people .pane-head button").click()
    browser.resize(320, 640)
    chat.no_overflow()
    browser.resize(1360, 860)


def zoom(chat):
    """1280 pixels at 200 % are 640 (WCAG 2.1, 1.4.4); text alone doubled, too."""
    chat.browser.resize(640, 400)
    chat.no_overflow()
    chat.browser.resize(1360, 860)
    chat.browser.run("document.documentElement.style.fontSize = '32px'")
    chat.no_overflow()
    chat.browser.run("document.documentElement.style.fontSize = ''")


def names(chat):
    for css in ("button", "textarea", "input:not([type=file])", "summary", "[role=log]"):
        for node in chat.browser.run("return [...document.querySelectorAll(arguments[0])]"
                                     ".filter((n) => n.checkVisibility()).slice(0, 25)", css):
            tap.check(node.label(), f"a {css} without a name")


def contrast(chat):
    tap.equal(chat.browser.run(LOW_CONTRAST), [], "too pale")


def calm(chat):
    chat.browser.emulate("prefers-reduced-motion", "reduce")
    name = chat.browser.run(
        "document.getElementById('typing').hidden = false;"
        "const n = getComputedStyle(document.querySelector('.typing i')).animationName;"
        "document.getElementById('typing').hidden = true; return n")
    tap.equal(name, "none", "the animation")
    chat.browser.emulate("prefers-reduced-motion", "")


def stays_at_home(chat):
    host = urllib.parse.urlsplit(chat.url).netloc
    addresses = chat.browser.requests()
    tap.check(addresses, "no request was seen")
    tap.equal([a for a in addresses if urllib.parse.urlsplit(a).netloc != host], [], "requests elsewhere")


def no_complaints(chat):
    tap.equal(chat.browser.complaints(), [], "the console")


def outage(chat):
    """Ctrl-C and `make run` again: what was written meanwhile is kept and answered, once."""
    if not chat.own:
        raise tap.Skip("this demonstration is not ours to end")
    chat.own.interrupt()
    tap.equal(chat.own.processes(), [], "what Ctrl-C left")
    chat.say("menú")
    chat.browser.wait_until("the page says so", lambda: chat.is_marked("retrying"))
    tap.check("Sin conexión" in chat.browser.wait_for("#banner:not([hidden])").text(), "no banner")
    tap.check("Reintentando" in chat.bubbles("customer")[-1].text(), "the message doesn't say so")
    start = time.monotonic()
    chat.own.start()
    tap.check(time.monotonic() - start < 15, f"the second start took {time.monotonic() - start:.0f} s")
    chat.heard = len(chat.bubbles("bot"))
    chat.hears(r"¿En qué le puedo ayudar\?$")
    chat.browser.wait_until("the message arrived", lambda: chat.is_marked("delivered", "read"))
    chat.browser.wait_until("the banner goes", lambda: chat.browser.find_all("#banner[hidden]"))
    chat.hears_no_more()
    tap.equal([item["body"] for item in chat.events()["chat"] if item["from"] == "customer"], ["menú"],
              "what arrived")


TESTS = [
    ("on a port that is taken it does not start, and names another", busy),
    ("without apt-get it tells what to do", without_apt),
    ("without root it tells what to install", without_root),
    ("daemon and PostgreSQL run unprivileged", unprivileged),
    ("the core has 5,000 customers at least", many),
    ("the page opens and lists the customers", opens),
    ("a greeting gets its ticks; the policy is read, consent given, the menu comes", greets),
    ("the balance is picked in the list by keyboard", picks),
    ("a cédula brings a code by SMS; a wrong code is refused", identifies),
    ("a reload in the middle shows the chat again", reloads),
    ("the code brings the balance, with the core's figures", answers),
    ("what is seen is reported as read, the SMS as delivered", reports),
    ("a stranger's cédula gets a customer's answer, and no SMS", neutral),
    ("a photo goes out and is shown", photos),
    ("a document goes out and can be saved", documents),
    ("text is never markup, and is formatted as WhatsApp does", is_only_text),
    ("quotes and reactions", quotes),
    ("each telephone has its own chat, with or without a number", telephones),
    ("telephones: 390 and 320 pixels", narrow),
    ("zoom to 200 %", zoom),
    ("every control has a name", names),
    ("contrast of 4.5 at least", contrast),
    ("no motion for those who don't want it", calm),
    ("no request leaves the simulator", stays_at_home),
    ("nothing in the console", no_complaints),
    ("the demonstration ends and comes back, and nothing is lost", outage),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="of a demonstration that runs")
    parser.add_argument("--home", default=os.path.join(BUILD, "run"), help="... and where it keeps its things")
    parser.add_argument("--screenshot", metavar="FILE")
    options = parser.parse_args()
    own = None if options.url else Demonstration()
    try:
        url = options.url or own.start()
        with Browser() as browser:
            browser.resize(1360, 860)
            chat = Chat(browser, url, own.home if own else options.home, own, options.screenshot)
            failed = tap.run(TESTS, chat)
    finally:
        if own:
            own.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
