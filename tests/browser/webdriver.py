# SPDX-License-Identifier: Apache-2.0
"""As much of W3C WebDriver (www.w3.org/TR/webdriver2) as the browser tests need, over chromedriver.

    with Browser() as browser:
        browser.open("http://127.0.0.1:8765/")
        browser.wait_for("#log").click()

Every network request of the page is recorded (chromedriver's performance log); requests() gives
their addresses. Bad at: any browser but chromium.
"""

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key that WebDriver, section 12, fixes
KEYS = {"enter": "\ue007", "escape": "\ue00c", "up": "\ue013", "down": "\ue015"}
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-dev-shm-usage", "--lang=es-CO",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class WebDriverError(Exception):
    """What chromedriver answered instead of a value."""


class Element:
    """A node of the page."""

    def __init__(self, browser, reference):
        self.browser = browser
        self.reference = reference

    def _path(self, rest):
        return f"/element/{self.reference}{rest}"

    def click(self):
        self.browser.call("POST", self._path("/click"), {})

    def type(self, text):
        self.browser.call("POST", self._path("/value"), {"text": text})

    def text(self):
        return self.browser.call("GET", self._path("/text"))

    def attribute(self, name):
        return self.browser.call("GET", self._path(f"/attribute/{name}"))

    def label(self):
        """The name that a screen reader says."""
        return self.browser.call("GET", self._path("/computedlabel"))

    def find_all(self, css):
        found = self.browser.call("POST", self._path("/elements"),
                                  {"using": "css selector", "value": css})
        return [Element(self.browser, item[ELEMENT]) for item in found]

    def as_argument(self):
        return {ELEMENT: self.reference}


class Browser:
    """One chromium behind one chromedriver, both ended by leaving the with block."""

    def __init__(self, width=1360, height=860):
        driver = shutil.which("chromedriver")
        if not driver:
            raise WebDriverError("chromedriver is missing: apt-get install chromium-driver")
        self.driver = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.base = f"http://127.0.0.1:{self._driver_port()}"
        self.seen = []
        options = {"args": ARGUMENTS + [f"--window-size={width},{height}"]}
        session = self._http("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}}})
        self.base += f"/session/{session['sessionId']}"

    def _driver_port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise WebDriverError("chromedriver did not start")

    def _http(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as failure:
            value = json.load(failure)["value"]
            raise WebDriverError(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def call(self, method, path, body=None):
        return self._http(method, path, body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        except (WebDriverError, OSError):
            pass
        self.driver.terminate()
        self.driver.wait(10)

    def open(self, address):
        self.call("POST", "/url", {"url": address})

    def resize(self, width, height):
        """The size of the page itself: a window can't be made as narrow as a telephone."""
        self.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height, "deviceScaleFactor": 1,
                       "mobile": False}})

    def emulate(self, feature, value):
        self.call("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setEmulatedMedia",
            "params": {"features": [{"name": feature, "value": value}]}})

    def find_all(self, css):
        found = self.call("POST", "/elements", {"using": "css selector", "value": css})
        return [Element(self, item[ELEMENT]) for item in found]

    def find(self, css):
        found = self.find_all(css)
        if not found:
            raise WebDriverError(f"nothing on the page is {css}")
        return found[0]

    def run(self, script, *arguments):
        ready = [a.as_argument() if isinstance(a, Element) else a for a in arguments]
        value = self.call("POST", "/execute/sync", {"script": script, "args": ready})
        if isinstance(value, list) and all(isinstance(item, dict) and ELEMENT in item for item in value):
            return [Element(self, item[ELEMENT]) for item in value]
        return value

    def wait_until(self, what, check, patience=20):
        """The first true value of check(), within patience seconds."""
        until = time.monotonic() + patience
        while True:
            value = check()
            if value:
                return value
            if time.monotonic() > until:
                raise WebDriverError(f"waited {patience} s in vain: {what}")
            time.sleep(0.05)

    def wait_for(self, css, patience=20):
        return self.wait_until(css, lambda: self.find_all(css), patience)[0]

    def press(self, key):
        value = KEYS.get(key, key)
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]}]})

    def requests(self):
        """The addresses of all requests so far."""
        for entry in self.call("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.seen.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                self.seen.append(message["params"]["url"])
        return self.seen

    def complaints(self):
        """What the console calls severe: exceptions, refusals of the content policy."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] == "SEVERE"]

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))
