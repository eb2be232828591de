# SPDX-License-Identifier: Apache-2.0
"""A whole house for a test: PostgreSQL, demonstration core, stand-ins, and the real proaltod.

	with House() as house:
		ana = house.customer()                    # somebody of the core, never used before
		ana.says("hola")
		bubble = ana.hears()                      # the next message to her
		ana.taps(bubble, "Sí, autorizo")
		code = house.sms_code(ana.mobile)
		house.sql("SELECT count(*) FROM consent") # of the store
		house.advance(16 * 60)                    # business time
		house.kill(); house.start()               # the daemon
		house.server.crash()                      # PostgreSQL

B names the build directory (default build). What is running is always ended, and the folder removed,
unless KEEP is set. One thread; customers of one house may be used by several.
"""

import base64
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import postgres
import tap
import webhook
from tap import until

TOP = postgres.TOP
B = os.path.join(TOP, os.environ.get("B", "build"))
SECRET = "secreto-de-la-aplicacion"
OLD_SECRET = "secreto-anterior"
VERIFY_TOKEN = "palabra-de-verificacion"
ACCESS_TOKEN = "llave-del-sistema"
SMS_TOKEN = "llave-de-la-pasarela"
RECEIPT_TOKEN = "llave-de-los-recibos"
# Sanitizers make everything slower; a test waits this much longer for what must happen.
PATIENCE = float(os.environ.get("PATIENCE", "1"))


class Ended(Exception):
	"""Something that should run has ended."""


def free_port():
	"""A port outside the range from which the kernel takes those of outgoing connections."""
	while True:
		port = random.randrange(20000, 30000)
		with socket.socket() as probe:
			try:
				probe.bind(("127.0.0.1", port))
				return port
			except OSError:
				continue


class Http:
	"""One kept connection; tried again once if the other side closed it meanwhile."""

	def __init__(self, port, timeout=30):
		self.port = port
		self.timeout = timeout
		self.local = threading.local()

	def request(self, method, path, body=None, headers=None):
		kept = getattr(self.local, "connection", None)
		for connection in ([kept] if kept else []) + [None]:
			if connection is None:
				connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
			self.local.connection = connection
			try:
				connection.request(method, path, body, headers or {})
				response = connection.getresponse()
				return response.status, response.read(), response.headers
			except (http.client.HTTPException, OSError):
				connection.close()
				self.local.connection = None
				if connection is not kept:
					raise
		raise Ended("no connection")

	def json(self, method, path, body=None):
		status, text, _ = self.request(method, path, json.dumps(body) if body is not None else None)
		if status != 200:
			raise AssertionError(f"{path}: {status} {text[:300]!r}")
		return json.loads(text)


class Peer:
	"""A stand-in that prints {"port": N} when it listens."""

	def __init__(self, name, folder, *args):
		self.name = name
		self.args = args
		self.log_path = os.path.join(folder, name + ".err")
		self.start(free_port())
		self.http = Http(self.port)

	def start(self, port):
		self.process = subprocess.Popen(
			[os.path.join(B, "tests/peers", self.name), *self.args, "--port", str(port)],
			stdout=subprocess.PIPE, stderr=open(self.log_path, "ab"), text=True)
		line = self.process.stdout.readline()
		if not line:
			raise Ended(f"{self.name} did not start: {open(self.log_path).read()}")
		self.port = json.loads(line)["port"]

	def start_again(self):
		"""At the same port, after stop(). It remembers nothing."""
		self.start(self.port)

	def control(self, what, plan=None):
		return self.http.json("POST" if plan is not None else "GET", "/_control/" + what, plan)

	def faults(self, *entries, latency_ms=0):
		"""What becomes of the next requests: dicts of kind, count, http, code."""
		self.control("faults", {"latency_ms": latency_ms, "next": list(entries)})

	def stats(self):
		return self.control("stats")

	def stop(self):
		self.process.kill()
		self.process.wait()
		self.process.stdout.close()


class Bubble:
	"""A message that the bot sent: its text and what can be tapped."""

	def __init__(self, entry):
		self.entry = entry
		self.n = entry["n"]
		self.wamid = entry["wamid"]
		self.to = entry["to"]
		self.body = body = entry["body"]
		self.kind = body["type"]
		self.options = []  # (kind of reply, id, title)
		self.text = ""
		if self.kind == "text":
			self.text = body["text"]["body"]
		elif self.kind == "interactive":
			self._read(body["interactive"])
		elif self.kind in ("document", "image"):
			self.text = body[self.kind].get("caption", "")

	def _read(self, interactive):
		self.text = interactive["body"]["text"]
		action = interactive.get("action", {})
		for button in action.get("buttons", []):
			self.options.append(("button_reply", button["reply"]["id"], button["reply"]["title"]))
		for section in action.get("sections", []):
			for row in section["rows"]:
				self.options.append(("list_reply", row["id"], row["title"]))

	def titles(self):
		return [title for _, _, title in self.options]

	def __str__(self):
		return self.text + ("\n[" + " | ".join(self.titles()) + "]" if self.options else "")


def fold(text):
	text = unicodedata.normalize("NFKD", text.casefold())
	return "".join(c for c in text if not unicodedata.combining(c)).strip()


class Customer(webhook.Person):
	"""Somebody with a chat. record: his row in the core, or None for a stranger."""

	def __init__(self, house, phone=None, user_id=None, record=None):
		super().__init__(phone, user_id)
		self.house = house
		self.record = record or {}
		self.mobile = self.record.get("mobile")
		self.document = self.record.get("document")
		self.seen = 0  # n of the last bubble taken

	def message(self, kind, content, at=None, **more):
		"""Dated by the house's clock, as far as a test turned it."""
		return super().message(kind, content, at=at or self.house.now(), **more)

	def posts(self, *messages):
		status = self.house.post(webhook.of(self, *messages))
		if status != 200:
			raise AssertionError(f"the webhook was answered {status}")
		return messages[-1]["id"]

	def says(self, text, **more):
		return self.posts(self.text(text, **more))

	def sends_file(self, content, kind="document", sha256=None, **more):
		"""A file that lies at the provider; sha256: what is said of it, if that is not true."""
		sha256 = sha256 or base64.b64encode(hashlib.sha256(content).digest()).decode()
		return self.sends(kind, media_id=self.house.upload(content), sha256=sha256, **more)

	def sends(self, kind, **more):
		return self.posts(self.media(kind, **more))

	def taps(self, bubble, title):
		for kind, tap_id, name in bubble.options:
			if fold(name) == fold(title):
				return self.posts(self.tap(kind, tap_id, name,
							   context=bubble.wamid))
		raise AssertionError(f"there is no {title!r} to tap in:\n{bubble}")

	def bubbles(self, since=None):
		"""Those not yet taken, oldest first; they stay."""
		since = self.seen if since is None else since
		return [b for b in self.house.bubbles(since) if b.to in self.addresses()]

	def addresses(self):
		return [a for a in ("+" + self.phone if self.phone else None, self.phone, self.user_id) if a]

	def hears(self, seconds=10):
		"""Takes the next bubble."""
		bubble = until(lambda: self.bubbles()[:1], seconds * PATIENCE, "a message from the bot")[0]
		self.seen = bubble.n
		return bubble

	def hears_all(self):
		"""Takes what has come when the daemon has nothing left to do."""
		self.house.settle()
		found = self.bubbles()
		if found:
			self.seen = found[-1].n
		return found


class House:
	"""Everything is made by the constructor; settings are lines for the configuration's groups."""

	def __init__(self, durable=False, customers=300, settings=None, channels="", plugins=(), start=True,
		     pg_options="", core_apart=False, core="", environment=None):
		self.folder = tempfile.mkdtemp(prefix="pah.", dir="/tmp")
		os.chmod(self.folder, 0o755)
		self.settings = settings or {}
		self.extra_channels = channels
		self.extra_plugins = plugins
		self.core_apart = core_apart
		self.core_text = core  # another core than the demonstration's: the group's lines
		self.environment = environment or {}  # of the daemon
		self.server = self.core_server = self.graph = self.smsgw = self.process = None
		self.offset = 0
		self.starts = 0
		self.used = set()
		self.used_lock = threading.Lock()
		self.serial = 0
		try:
			self._make(durable, customers, pg_options)
			if start:
				self.start()
		except BaseException:
			self.close(failed=True)
			raise

	# ---- making --------------------------------------------------------------------------------

	def _make(self, durable, customers, pg_options):
		self.port = free_port()
		self.metrics_port = free_port()
		self.http = Http(self.port)
		self.server = postgres.Server(durable, pg_options)
		self.core_server = postgres.Server() if self.core_apart else self.server
		self.graph = Peer("graph", self.folder, "--token", ACCESS_TOKEN, "--phone-id", webhook.PHONE_ID,
				  "--webhook", f"http://127.0.0.1:{self.port}/webhook/whatsapp",
				  "--secret", SECRET, "--log", os.path.join(self.folder, "graph.jsonl"))
		self.smsgw = Peer("smsgw", self.folder, "--token", SMS_TOKEN, "--receipts",
				  f"http://127.0.0.1:{self.port}/receipt/sms?token={RECEIPT_TOKEN}")
		self.config_path = os.path.join(self.folder, "proalto.conf")
		self._write_secrets()
		self.write_config()
		self._make_store()
		self._make_core(customers)

	def _write_secrets(self):
		secrets = {"master.key": os.urandom(32).hex(), "app": SECRET, "app-old": OLD_SECRET,
			   "verify": VERIFY_TOKEN, "access": ACCESS_TOKEN, "sms": SMS_TOKEN,
			   "receipts": RECEIPT_TOKEN}
		for name, value in secrets.items():
			path = os.path.join(self.folder, name)
			with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
				file.write(value)
		shutil.copy(os.path.join(TOP, "etc/backend-postgres.demo.conf"), self.folder)
		self.plugins = os.path.join(B, "plugins")
		if self.extra_plugins:
			self.plugins = os.path.join(self.folder, "plugins")
			shutil.copytree(os.path.join(B, "plugins"), self.plugins)
			for path in self.extra_plugins:
				shutil.copy(path, self.plugins)

	def _group(self, name, **fixed):
		lines = {key: value for key, value in fixed.items()}
		lines.update(self.settings.get(name, {}))
		return "".join(f"\t{key} = {value};\n" for key, value in lines.items())

	def write_config(self):
		f, host, core_host = self.folder, self.server.host, self.core_server.host
		flows = os.environ.get("FLOWS", os.path.join(TOP, "etc"))
		demo_core = f"""		plugin = "backend-postgres";
{self._group("core", connection=f'"host={core_host} port=5432 dbname=core_demo user=proalto_core_reader"',
	     deadline='"2 s"', breaker_pause='"500 ms"')}
		@include "backend-postgres.demo.conf"
"""
		text = f"""
demo = true;
listen = {{
{self._group("listen", address='"127.0.0.1"', port=self.port)}}};
control = {{ socket = "{f}/control.sock"; }};
metrics = {{
{self._group("metrics", port=self.metrics_port)}}};
store = {{
{self._group("store", database=f'"host={host} port=5432 dbname=proalto user=proalto"',
	     master_key=f'"file:{f}/master.key"', node='"prueba"')}}};
files = {{
{self._group("files", inspector=f'"{os.path.abspath(os.path.join(B, "proalto-inspect"))}"')}}};
work = {{
{self._group("work", workers=8, quiet='"300 ms"', quiet_max='"900 ms"')}}};
house = {{
	name = "ProAlto";
	nit = "900.000.000-0";
	address = "Calle de la Prueba 1, Bogotá";
	phone = "+57 601 555 0000";
	email = "datos@proalto.example";
	policy_url = "https://proalto.example/datos";
}};
flows = {{
{self._group("flows", directory=f'"{flows}/flows"', texts=f'"{flows}/texts"')}}};
identity = {{
{self._group("identity", lookup='"full"', code_channel='"sms"')}}};
plugins = {{ directory = "{self.plugins}"; }};
log = {{
{self._group("log", level='"info"')}}};
{self.settings.get("top", "")}
channels = {{
	whatsapp = {{
		plugin = "channel-whatsapp";
		account = "{webhook.PHONE_ID}";
		app_secret = "file:{f}/app";
		app_secret_previous = "file:{f}/app-old";
		verify_token = "file:{f}/verify";
		access_token = "file:{f}/access";
{self._group("whatsapp", graph_url=f'"http://127.0.0.1:{self.graph.port}"', rate="1000.0", recipient_burst=1000, attempt_timeout='"3 s"',
	     uncertain_wait='"1 s"')}\t}};
	sms = {{
		plugin = "channel-sms-http";
		url = "http://127.0.0.1:{self.smsgw.port}/sms";
		headers = {{ Authorization = "Bearer {{secret}}"; }};
		secret = "file:{f}/sms";
		body = "{{\\"to\\": \\"{{to}}\\", \\"text\\": \\"{{text}}\\"}}";
		id_path = "id";
		receipt_format = "json";
		receipt_id = "id";
		receipt_status = "status";
		receipt_statuses = {{ sent = "sent"; delivered = "delivered"; failed = "failed"; expired = "failed"; }};
		receipt_token = "file:{f}/receipts";
		receipt_token_in = "query";
		receipt_token_name = "token";
{self._group("sms", rate="1000.0", recipient_burst=1000, attempt_timeout='"3 s"')}\t}};
{self.extra_channels}
}};
backends = {{
	core = {{
{self.core_text or demo_core}
	}};
}};
{self.settings.get("bottom", "")}
"""
		with open(self.config_path, "w") as file:
			file.write(text)

	def _make_store(self):
		self.server.run_file("postgres", os.path.join(TOP, "sql/roles.sql"))
		self.server.make_database("proalto", "proalto_owner")
		# As everywhere: root migrates as him.
		self.server.psql("postgres").rows("CREATE ROLE postgres SUPERUSER LOGIN")
		self.ctl("db", "migrate", "--directory", os.path.join(TOP, "sql/migrations"))

	def _make_core(self, customers):
		self.core_server.make_database("core_demo")
		self.core_server.run_file("core_demo", os.path.join(TOP, "sql/demo/load.sql"), customers=customers)

	# ---- the daemon ----------------------------------------------------------------------------

	def ctl(self, *args):
		"""proaltoctl's words; raises if it fails."""
		done = subprocess.run([os.path.join(B, "proaltoctl"), "--config", self.config_path, *args],
				      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
		if done.returncode != 0:
			raise AssertionError(f"proaltoctl {' '.join(args)}: {done.returncode}\n{done.stdout}")
		return done.stdout

	def ask(self, command, **more):
		"""The control socket's answer."""
		with socket.socket(socket.AF_UNIX) as control:
			control.settimeout(20)
			control.connect(os.path.join(self.folder, "control.sock"))
			control.sendall(json.dumps(dict(more, command=command)).encode() + b"\n")
			answer = control.makefile().readline()
		return json.loads(answer)

	@property
	def log_path(self):
		return os.path.join(self.folder, "proaltod.log")

	def daemon_environment(self):
		environment = dict(os.environ, **self.environment)
		for name in ("NOTIFY_SOCKET", "JOURNAL_STREAM"):
			if name not in self.environment:
				environment.pop(name, None)
		return environment

	def launch(self):
		"""Starts the daemon and returns at once."""
		self.process = subprocess.Popen(
			[os.path.join(B, "proaltod"), "--config", self.config_path],
			stdin=subprocess.DEVNULL, stdout=open(self.log_path, "ab"), stderr=subprocess.STDOUT,
			env=self.daemon_environment(), cwd=self.folder)
		self.is_clock_new = True
		self.starts += 1

	def is_answering(self, path="/readyz"):
		try:
			return self.http.request("GET", path)[0] == 200
		except (OSError, http.client.HTTPException):
			return False

	def takes_commands(self):
		"""The control socket is there a moment after the port."""
		with socket.socket(socket.AF_UNIX) as control:
			return control.connect_ex(os.path.join(self.folder, "control.sock")) == 0

	def wait_ready(self, seconds=20):
		end = time.monotonic() + seconds * PATIENCE
		while not (self.is_answering() and self.takes_commands()):
			if self.process.poll() is not None:
				raise Ended(f"proaltod ended with {self.process.returncode}:\n{self.log_tail()}")
			if time.monotonic() > end:
				raise Ended(f"proaltod is not ready after {seconds} s:\n{self.log_tail()}")
			time.sleep(0.01)
		# One that was not started anew keeps the clock that it has.
		if self.offset and self.is_clock_new:
			self._turn_clock(self.offset)
		self.is_clock_new = False

	def start(self):
		self.launch()
		self.wait_ready()

	def stop(self, seconds=20):
		"""The way systemd does it; returns the exit status."""
		self.process.send_signal(signal.SIGTERM)
		try:
			return self.process.wait(seconds * PATIENCE)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()
			raise AssertionError(f"proaltod does not stop:\n{self.log_tail()}")

	def kill(self):
		self.process.kill()
		self.process.wait()

	def restart(self):
		self.stop()
		self.start()

	def log(self):
		with open(self.log_path, errors="replace") as file:
			return file.read()

	def log_tail(self, lines=30):
		return "\n".join(self.log().splitlines()[-lines:]) if os.path.exists(self.log_path) else ""

	def configure(self, group, name, value):
		"""Changes one setting (None: back to the default) and has the daemon reload."""
		settings = self.settings.setdefault(group, {})
		if value is None:
			settings.pop(name, None)
		else:
			settings[name] = value
		self.write_config()
		answer = self.ask("reload")
		if not answer.get("reloaded"):
			raise AssertionError(f"the configuration was refused: {answer}")

	# ---- time ----------------------------------------------------------------------------------

	def now(self):
		return time.time() + self.offset

	def _turn_clock(self, seconds):
		answer = self.ask("clock", seconds=int(seconds))
		if not answer.get("ok"):
			raise AssertionError(f"the clock could not be turned: {answer}")

	def advance(self, seconds):
		self._turn_clock(seconds)
		self.offset += int(seconds)

	# ---- what goes in --------------------------------------------------------------------------

	def post(self, body, secret=SECRET, channel="whatsapp", headers=None, full=False):
		"""A signed webhook (dict or bytes); its status, or (status, text, headers) if full."""
		data = body if isinstance(body, bytes) else webhook.dump(body)
		more = {"Content-Type": "application/json", "X-Hub-Signature-256": webhook.sign(data, secret)}
		more.update(headers or {})
		answer = self.http.request("POST", "/webhook/" + channel, data, more)
		return answer if full else answer[0]

	def deliver(self, body, seconds=60, meanwhile=None):
		"""As Meta does: again and again until it is acknowledged; returns how often it took."""
		end = time.monotonic() + seconds * PATIENCE
		tries = 1
		while True:
			try:
				status = self.post(body)
			except (OSError, http.client.HTTPException):
				status = 0
			if status == 200:
				return tries
			if status not in (0, 503):
				raise AssertionError(f"the webhook was answered {status}")
			if time.monotonic() > end:
				raise AssertionError("the webhook was never acknowledged")
			if meanwhile:
				meanwhile()
			tries += 1
			time.sleep(0.05)

	# ---- what comes out ------------------------------------------------------------------------

	def bubbles(self, since=0):
		return [Bubble(entry) for entry in self.graph.control(f"messages?since={since}")]

	def all_sms(self, mobile=None):
		return self.smsgw.control("messages" + (f"?to={mobile}" if mobile else ""))

	def sms(self, mobile, count=1, seconds=10):
		"""Waits until count messages went to the mobile; the last one's text."""
		until(lambda: len(self.all_sms(mobile)) >= count, seconds * PATIENCE, "an SMS")
		return self.all_sms(mobile)[-1]["text"]

	def sms_code(self, mobile, count=1):
		return re.search(r"\b(\d{6})\b", self.sms(mobile, count)).group(1)

	def sql(self, query):
		"""One value of the store; as its owner of everything."""
		return self.rows(query)[0][0]

	def rows(self, query):
		session = self.server.psql("proalto")
		if not getattr(session, "has_path", False):
			session.rows("SET search_path = proalto")
			session.has_path = True
		return session.rows(query)

	def core_away(self, is_away):
		"""The core's database refuses the daemon, and what it had is cut."""
		session = self.core_server.psql("postgres")
		session.rows(f"ALTER ROLE proalto_core_reader {'NOLOGIN' if is_away else 'LOGIN'}")
		if is_away:
			session.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				     " WHERE usename = 'proalto_core_reader'")

	def core(self, query):
		return self.core_server.psql("core_demo").rows(query)

	def is_idle(self):
		"""Nothing is waiting for a turn or to be sent, and no file to be asked for the first time."""
		return self.sql("SELECT (SELECT count(*) FROM work) + (SELECT count(*) FROM outbox"
				" WHERE is_open) + (SELECT count(*) FROM file WHERE state = 0"
				" AND (tries = 0 OR owner IS NOT NULL))") == "0"

	def settle(self, seconds=20):
		"""Until the daemon has nothing left to do."""
		def is_done():
			if self.process.poll() is not None:
				raise Ended(f"proaltod ended with {self.process.returncode}:\n{self.log_tail()}")
			return self.is_idle()

		until(is_done, seconds * PATIENCE, "an end to the work")

	def upload(self, content):
		"""A customer's file at the provider; its id there."""
		status, text, _ = self.graph.http.request("POST", "/_control/media", content,
							  {"Content-Type": "application/octet-stream"})
		if status != 200:
			raise AssertionError(f"the file was not taken: {status}")
		return json.loads(text)["id"]

	# ---- who writes ----------------------------------------------------------------------------

	def customer(self, where="credits = 1 AND states = 'ACTIVO' AND settled", chat=True):
		"""Somebody of the core who was not given out before, by what he has: the columns of the
		query below. chat: he writes from his registered mobile."""
		with self.used_lock:
			taken = ",".join(str(i) for i in self.used) or "0"
			found = self.core(PEOPLE + f" SELECT * FROM people WHERE ({where}) AND id NOT IN ({taken})"
					  " ORDER BY id > 100 DESC, id LIMIT 1")
			if not found:
				raise AssertionError(f"the core has nobody left where {where}")
			record = dict(zip(PEOPLE_COLUMNS, found[0]))
			self.used.add(int(record["id"]))
		phone = record["mobile"] if chat and record["mobile"] else self.stranger_phone()
		return Customer(self, phone=phone, record=record)

	def stranger_phone(self):
		self.serial += 1
		return f"57310777{self.serial:04d}"

	def stranger(self, phone=True, user_id=None):
		"""Somebody whom the core does not know."""
		return Customer(self, phone=self.stranger_phone() if phone else None, user_id=user_id)

	def consented(self):
		"""A stranger who has agreed to the use of his data."""
		person = self.stranger()
		person.says("hola")
		person.taps(person.hears_all()[-1], "Sí, autorizo")
		person.hears_all()
		return person

	# ---- the end -------------------------------------------------------------------------------

	def end_daemon(self, failed):
		"""A clean end, so that a sanitizer can tell of leaks; its complaints are ours."""
		if not self.process:
			return
		if self.process.poll() is None and not failed:
			self.process.terminate()
			try:
				self.process.wait(20 * PATIENCE)
			except subprocess.TimeoutExpired:
				pass
		if self.process.poll() is None:
			self.process.kill()
			self.process.wait()
		complaint = re.search(r"(?:ERROR|WARNING|SUMMARY): \w+Sanitizer|runtime error:", self.log())
		if complaint:
			print("not ok - a sanitizer complains of the daemon")
			print("\n".join("# " + line for line in self.log()[complaint.start():].splitlines()[:60]),
			      flush=True)

	def close(self, failed=False):
		self.end_daemon(failed)
		for peer in (self.graph, self.smsgw):
			if peer:
				peer.stop()
		for server in {self.server, self.core_server} - {None}:
			server.stop()
		if os.environ.get("KEEP"):
			print(f"# kept: {self.folder}", flush=True)
		else:
			shutil.rmtree(self.folder, ignore_errors=True)

	def __enter__(self):
		return self

	def __exit__(self, kind, error, trace):
		self.close(failed=error is not None)
		return False


def run(tests, house, subject=None):
	"""tap.run() with the house, or something else that has to do with it, and the daemon's last words if one fails;
	the exit status."""
	failed = tap.run(tests, subject or house)
	if failed:
		tap.say(house.log_tail(30))
	return 1 if failed else 0


PEOPLE_COLUMNS = ["id", "document", "name", "mobile", "mobile_tail", "settled", "credits", "states", "balance",
		  "paid", "pending", "payroll"]
PEOPLE = """
WITH people AS (
	SELECT c.cod_cli AS id, c.num_doc AS document,
		initcap(split_part(c.nombres, ' ', 1)) AS name,
		CASE WHEN c.celular ~ '^3[0-9]{9}$' THEN '57' || c.celular END AS mobile,
		right(c.celular, 2) AS mobile_tail,
		c.celular IS NOT NULL AND c.fec_celular < current_date - 10 AND c.tip_doc = 'CC'
			AND c.fec_nac < current_date - 7000
			AND c.cod_cli NOT BETWEEN 11 AND 100 AS settled,
		count(v.num_cre) AS credits, string_agg(DISTINCT v.estado, ',') AS states,
		trim_scale(sum(v.saldo)) AS balance, sum(v.pagadas) AS paid, sum(v.pendientes) AS pending,
		min(v.pagaduria) AS payroll
	FROM core_demo.cliente c LEFT JOIN core_demo.v_credito v USING (cod_cli)
	GROUP BY c.cod_cli
)"""
