#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What stands between the house and the world: the outgoing proxy (tinyproxy), the house's own
authority, nginx before the door with the sample that is shipped, TLS of the daemon's own."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, equal, until

NAME = socket.gethostname()  # a name that is not the loopback's, and leads to this machine
LOGIN = "banco:clave41"


# ---- certificates ----------------------------------------------------------------------------------

def openssl(*args):
	subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
	"""Signs certificates; its own is ca.pem in the folder."""

	def __init__(self, folder, name="ca"):
		self.folder = folder
		self.pem, self.key = f"{folder}/{name}.pem", f"{folder}/{name}.key"
		openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
			"-subj", "/CN=Autoridad de prueba", "-keyout", self.key, "-out", self.pem)

	def issue(self, name, subject, days=2, names=f"DNS:{NAME},DNS:localhost,IP:127.0.0.1"):
		"""NAME.pem and NAME.key, put in their place at once."""
		path = f"{self.folder}/{name}"
		openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
			"-addext", f"subjectAltName={names}", "-keyout", path + ".key.new", "-out", path + ".csr")
		openssl("x509", "-req", "-in", path + ".csr", "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial",
			"-copy_extensions", "copy", "-days", str(days), "-out", path + ".pem.new")
		for suffix in (".key", ".pem"):
			os.rename(path + suffix + ".new", path + suffix)
		return path + ".pem", path + ".key"


def common_name(port, authority):
	"""What the certificate of https://localhost:PORT says its subject is."""
	context = ssl.create_default_context(cafile=authority.pem)
	with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
		with context.wrap_socket(plain, server_hostname="localhost") as secured:
			return dict(part[0] for part in secured.getpeercert()["subject"])["commonName"]


# ---- other people's programs -----------------------------------------------------------------------

class Program:
	"""Runs until it is stopped; listens when the port answers."""

	def __init__(self, port, *args):
		self.args = args
		self.port = port
		self.start()

	def start(self):
		self.process = subprocess.Popen(self.args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		until(self.is_listening, 10 * h.PATIENCE, self.args[0])

	def is_listening(self):
		with socket.socket() as probe:
			return probe.connect_ex(("127.0.0.1", self.port)) == 0

	def stop(self):
		self.process.terminate()
		self.process.wait(10)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.stop()


def write(path, text):
	with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
		file.write(text)
	return path


def proxy(folder, port, beyond):
	"""tinyproxy, which asks for LOGIN and tunnels to the port beyond only."""
	user, password = LOGIN.split(":", 1)
	log = write(f"{folder}/tinyproxy.log", "")
	config = write(f"{folder}/tinyproxy.conf", f"""
Port {port}
Listen 127.0.0.1
Timeout 30
Allow 127.0.0.1
LogFile "{log}"
LogLevel Connect
ConnectPort {beyond}
BasicAuth {user} {password}
""")
	return Program(port, "tinyproxy", "-d", "-c", config), log


NGINX = """
pid {folder}/nginx.pid;
error_log {folder}/nginx.log info;
daemon off;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
	client_body_temp_path {folder}/tmp-body;
	proxy_temp_path {folder}/tmp-proxy;
	fastcgi_temp_path {folder}/tmp-f;
	uwsgi_temp_path {folder}/tmp-u;
	scgi_temp_path {folder}/tmp-s;
	access_log off;
	{text}
}}
"""


def nginx(folder, port, text):
	config = write(f"{folder}/nginx.conf", NGINX.format(folder=folder, text=text))
	subprocess.run(["nginx", "-p", folder, "-e", f"{folder}/nginx.log", "-c", config, "-t", "-q"], check=True)
	return Program(port, "nginx", "-p", folder, "-e", f"{folder}/nginx.log", "-c", config)


# ---- going out -------------------------------------------------------------------------------------

class Outside:
	"""A house whose provider is reached over TLS by a name, by way of a proxy alone."""

	def __init__(self, house):
		self.house = house
		self.folder = house.folder
		self.provider_port, self.proxy_port = h.free_port(), h.free_port()
		self.authority = Authority(self.folder)
		self.certificate, self.key = self.authority.issue("provider", "/CN=proveedor")
		write(f"{self.folder}/login", LOGIN + "\n")
		self.outbound = {"proxy": f'"http://127.0.0.1:{self.proxy_port}"',
				 "proxy_login": f'"file:{self.folder}/login"', "ca_file": f'"{self.authority.pem}"'}
		house.settings["whatsapp"] = {"graph_url": f'"https://{NAME}:{self.provider_port}"'}

	def provider(self):
		"""The stand-in of Meta, behind TLS."""
		return nginx(self.folder, self.provider_port, f"""
	server {{
		listen 127.0.0.1:{self.provider_port} ssl;
		ssl_certificate {self.certificate};
		ssl_certificate_key {self.key};
		location / {{ proxy_pass http://127.0.0.1:{self.house.graph.port}; }}
	}}""")

	@contextlib.contextmanager
	def configured(self, **changes):
		"""The daemon runs with these settings of outbound (None: left out)."""
		settings = {key: value for key, value in dict(self.outbound, **changes).items() if value}
		lines = "".join(f"\t{key} = {value};\n" for key, value in settings.items())
		self.house.settings["top"] = f"outbound = {{\n{lines}}};"
		self.house.write_config()
		self.house.start()
		try:
			yield
		finally:
			self.house.stop()


def greeting(house):
	"""Somebody says hello; what he hears, within so long."""
	person = house.stranger()
	person.says("hola")
	return person


def complaint(outside, person, words):
	"""Nothing comes to the person, and the journal says why."""
	until(lambda: re.search(words, outside.house.log()), 10 * h.PATIENCE, f"the journal to say {words!r}")
	equal(len(person.bubbles()), 0, "messages that came")


def goes_by_the_proxy(outside):
	with outside.provider(), outside.running_proxy(), outside.configured():
		greeting(outside.house).hears()
	tunnels = open(outside.proxy_log).read()
	check(f"CONNECT {NAME}:{outside.provider_port} HTTP/1.1" in tunnels, "no tunnel in the proxy's log", tunnels)
	check("clave" not in outside.house.log() and LOGIN not in outside.house.log(), "the login is in the journal")


def environment_has_no_say(outside):
	"""Without outbound.proxy the way is direct, whatever https_proxy says."""
	outside.house.environment = {"https_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
	with outside.provider(), outside.configured(proxy=None, proxy_login=None):
		greeting(outside.house).hears()
	outside.house.environment = {}


def wrong_password(outside):
	"""The journal says what is wrong; once it is right the message goes, and only once."""
	write(f"{outside.folder}/wrong", "banco:otra")
	with outside.provider(), outside.running_proxy():
		with outside.configured(proxy_login=f'"file:{outside.folder}/wrong"'):
			person = greeting(outside.house)
			complaint(outside, person, "no answer from the provider: the proxy refuses with 40[17]")
			check("otra" not in outside.house.log(), "the password is in the journal")
		with outside.configured():
			person.hears(30)
			heard = [bubble.text for bubble in person.hears_all()]
			equal(len(heard), len(set(heard)), "different messages of " + repr(heard))


def proxy_is_down(outside):
	with outside.provider():
		with outside.configured():
			person = greeting(outside.house)
			complaint(outside, person, f"no answer from the provider: Failed to connect to 127.0.0.1 port "
				  f"{outside.proxy_port}")
			with outside.running_proxy():
				person.hears(40)


def not_by_the_proxy(outside):
	"""What no_proxy names is reached without it."""
	with outside.provider(), outside.configured(no_proxy=f'"example.org,{NAME}"'):
		greeting(outside.house).hears()


def authority_of_the_house(outside):
	"""Without its authority the provider is not believed, and not a byte of the message leaves."""
	with outside.provider(), outside.running_proxy():
		with outside.configured(ca_file=None):
			person = greeting(outside.house)
			complaint(outside, person, "self.signed certificate in certificate chain|unable to get local issuer")
		with outside.configured(system_authorities="false"):
			person.hears(30)


def hosts_are_told(outside):
	house = outside.house
	with outside.configured():
		pass
	told = json.loads(house.ctl("hosts", "--json"))
	equal({(entry["for"], entry["host"], entry.get("port")) for entry in told},
	      {("outbound.proxy", "127.0.0.1", outside.proxy_port),
	       ("channels.whatsapp.graph_url", NAME, outside.provider_port),
	       ("channels.sms.url", "127.0.0.1", house.smsgw.port),
	       ("house.policy_url", "proalto.example", 443)}, "hosts")
	os.rename(f"{house.folder}/master.key", f"{house.folder}/master.away")
	without = house.ctl("hosts")
	os.rename(f"{house.folder}/master.away", f"{house.folder}/master.key")
	check(re.search(rf"^{NAME} +{outside.provider_port}  channels.whatsapp.graph_url$", without, re.M),
	      "not told without the secrets", without)


def running_proxy(outside):
	program, outside.proxy_log = proxy(outside.folder, outside.proxy_port, outside.provider_port)
	return program


Outside.running_proxy = running_proxy

OUTSIDE = [
	("messages go by way of the proxy, with its login", goes_by_the_proxy),
	("a proxy in the environment does not count", environment_has_no_say),
	("a wrong password is told, and nothing is lost", wrong_password),
	("a proxy that is down is told, and nothing is lost", proxy_is_down),
	("no_proxy", not_by_the_proxy),
	("the house's authority, besides the system's or alone", authority_of_the_house),
	("proaltoctl hosts", hosts_are_told),
]


# ---- the daemon's own TLS --------------------------------------------------------------------------

class Https(h.Http):
	"""One connection a request, which believes the authority."""

	def __init__(self, port, authority, chain=None):
		super().__init__(port)
		self.context = ssl.create_default_context(cafile=authority.pem)
		if chain:
			self.context.load_cert_chain(*chain)

	def connect(self):
		return http.client.HTTPSConnection("localhost", self.port, timeout=self.timeout, context=self.context)

	def request(self, method, path, body=None, headers=None, connection=None):
		connection = connection or self.connect()
		connection.request(method, path, body, headers or {})
		response = connection.getresponse()
		return response.status, response.read(), response.headers


class Secured:
	"""A house whose port speaks TLS."""

	def __init__(self, house):
		self.house = house
		self.authority = Authority(house.folder)
		self.issue("primero")
		house.settings["listen"] = {"certificate": f'"{house.folder}/own.pem"', "key": f'"{house.folder}/own.key"'}
		house.write_config()
		house.http = Https(house.port, self.authority)
		house.start()

	def issue(self, common, **more):
		self.authority.issue("own", f"/CN={common}", **more)

	def common_name(self):
		return common_name(self.house.port, self.authority)


def handshake(port, *args):
	"""Whether openssl's client gets through with what it is told to speak."""
	done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *args], stdin=subprocess.DEVNULL,
			      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, errors="replace")
	return done.returncode == 0 and "Cipher is (NONE)" not in done.stdout


def webhook_by_tls(secured):
	house = secured.house
	greeting(house).hears()
	person = house.stranger()
	large = webhook.of(person, person.text("hola " + "a" * 4000), *[person.text("b" * 4000) for _ in range(400)])
	equal(house.post(large), 200, "answer to a large delivery")
	equal(house.post(b"{}", secret="otra"), 403, "answer to a forged one")


def only_good_tls(secured):
	old, good = "DEFAULT@SECLEVEL=0", "ECDHE-ECDSA-AES128-GCM-SHA256"
	port = secured.house.port
	check(handshake(port, "-tls1_2", "-cipher", good), "TLS 1.2 is refused")
	check(handshake(port, "-tls1_3"), "TLS 1.3 is refused")
	check(not handshake(port, "-tls1_1", "-cipher", old), "TLS 1.1 is taken")
	check(not handshake(port, "-tls1", "-cipher", old), "TLS 1.0 is taken")
	check(not handshake(port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"), "CBC is taken")
	with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
		plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		check(b"200" not in plain.recv(100), "plain HTTP is answered")


def renewed_in_place(secured):
	"""Without a word to the daemon, and connections go on."""
	kept, other = secured.house.http.connect(), secured.house.http.connect()

	def goes_on(*connections):
		return all(secured.house.http.request("GET", "/readyz", connection=each)[0] == 200 for each in connections or [kept])

	check(goes_on(kept, other), "no answer before")
	pid, told = secured.house.process.pid, "the old certificate stays in use"
	limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
	resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))  # it can't be read at the first look
	try:
		secured.issue("segundo")
		until(lambda: goes_on(kept, other) and told in secured.house.log(), 30 * h.PATIENCE, "the journal to tell")
	finally:
		resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
	other.close()  # libmicrohttpd, if somebody came meanwhile, takes nobody more before one has gone
	until(lambda: goes_on() and secured.common_name() == "segundo", 30 * h.PATIENCE, "the new certificate")
	check(goes_on(), "no answer on the old connection")
	equal(secured.house.log().count(told), 1, "times that the journal told")


def renewed_by_reload(secured):
	secured.issue("tercero", days=9)
	answer = secured.house.ask("reload")
	check(answer["reloaded"], "refused", answer)
	equal(secured.common_name(), "tercero", "subject")
	ends = secured.house.ask("status")["certificate_ends_at"]
	days = {time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 86400 - late)) for late in (0, 600)}
	check(ends[:10] in days, f"it ends at {ends}")
	told = re.search(r"^proalto_certificate_expiry_timestamp_seconds (\S+)$",
			 h.Http(secured.house.metrics_port).request("GET", "/metrics")[1].decode(), re.MULTILINE)
	equal(time.strftime("%Y-%m-%d", time.gmtime(float(told.group(1)))), ends[:10], "what the metrics tell")


def bad_one_is_refused(secured):
	house = secured.house
	secured.issue("cuarto")
	house.ask("reload")
	own = pathlib.Path(house.folder, "own.pem")

	def refused(words):
		answer = house.ask("reload")
		check(not answer["reloaded"] and re.search(words, answer["report"][0]), f"not {words!r}", answer)
		equal(secured.common_name(), "cuarto", "subject")

	secured.issue("vencido", days=0)
	refused("own.pem: the certificate has expired")
	secured.issue("otro")
	good = own.read_bytes()
	secured.authority.issue("another", "/CN=ajeno")
	own.write_bytes(pathlib.Path(house.folder, "another.pem").read_bytes())
	refused("own.key is not the key of .*own.pem")
	own.write_text("nada")
	refused("own.pem: ")
	own.write_bytes(good)
	os.chmod(f"{house.folder}/own.key", 0o644)
	refused("own.key: a secret that others than its owner may read")
	os.chmod(f"{house.folder}/own.key", 0o600)
	check(house.ask("reload")["reloaded"], "the good one is refused")
	equal(secured.common_name(), "otro", "subject in the end")


def nothing_lost_by_a_stop(secured):
	"""Deliveries that are on their way when it is told to stop are answered, over TLS too."""
	house = secured.house
	kept = [house.http.connect() for _ in range(8)]
	for connection in kept:
		house.http.request("GET", "/readyz", connection=connection)
	house.process.send_signal(signal.SIGTERM)
	for connection in kept[:4]:
		body = webhook.dump(webhook.of(house.stranger(), house.stranger().text("hola")))
		status, _, headers = house.http.request(
			"POST", "/webhook/whatsapp", body, {"X-Hub-Signature-256": webhook.sign(body, h.SECRET)}, connection)
		equal((status, headers["Connection"].lower()), (200, "close"), "answer while it ends")
	equal(house.process.wait(20 * h.PATIENCE), 0, "exit status")
	house.start()


SECURED = [
	("a webhook by TLS", webhook_by_tls),
	("nothing but TLS 1.2 and 1.3 with good ciphers", only_good_tls),
	("a certificate renewed in place is noticed", renewed_in_place),
	("a reload takes it at once", renewed_by_reload),
	("one that is no good is refused, the old stays", bad_one_is_refused),
	("a stop answers who is there", nothing_lost_by_a_stop),
]


# ---- nginx in front --------------------------------------------------------------------------------

BAD_REQUESTS = 5  # a minute of one address
SAMPLE = os.path.join(h.TOP, "etc/nginx/proalto.conf")


class Behind:
	"""A house behind nginx with the shipped sample: its own paths and ports, quicker to cut."""

	def __init__(self, house):
		self.house = house
		self.folder = house.folder
		self.port = h.free_port()
		self.authority = Authority(self.folder)
		self.authority.issue("front", "/CN=primero")
		self.http = Https(self.port, self.authority)
		house.settings["listen"] = {"trusted_proxies": '"127.0.0.1"', "bad_requests": BAD_REQUESTS}
		house.write_config()
		house.start()

	def running(self, *changes):
		with open(SAMPLE) as file:
			text = file.read()
		for old, new in [(r"listen 443 ssl;\n\tlisten \[::\]:443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
				 (r"127\.0\.0\.1:8080", f"127.0.0.1:{self.house.port}"),
				 (r"/etc/nginx/proalto/fullchain.pem", f"{self.folder}/front.pem"),
				 (r"/etc/nginx/proalto/privkey.pem", f"{self.folder}/front.key"),
				 (r"/etc/nginx/proalto/", f"{self.folder}/"),
				 (r"/var/log/nginx/", f"{self.folder}/nginx-"),
				 (r"(client_(?:header|body)_timeout) 10s", r"\1 1s"), *changes]:
			text, count = re.subn(old, new, text)
			check(count > 0, f"the sample lacks {old!r}")
		return nginx(self.folder, self.port, text)

	def post(self, body, query="", http=None, **more):
		data = body if isinstance(body, bytes) else webhook.dump(body)
		headers = dict({"X-Hub-Signature-256": webhook.sign(data, h.SECRET)}, **more)
		return (http or self.http).request("POST", "/webhook/whatsapp" + query, data, headers)[0]

	def hello(self):
		person = self.house.stranger()
		return person, webhook.of(person, person.text("hola"))

	def logs(self):
		return "".join(open(f"{self.folder}/nginx-{name}").read() for name in ("proalto.log", "proalto.error.log"))


def webhook_by_nginx(behind):
	with behind.running():
		person, body = behind.hello()
		equal(behind.post(body), 200, "answer")
		person.hears()
		equal(behind.http.request("GET", "/healthz")[0], 404, "answer to /healthz")
		equal(behind.http.request("GET", "/")[0], 404, "answer to /")
		equal(behind.post(b"{}", **{"X-Hub-Signature-256": "sha256=" + "0" * 64}), 403, "answer to a forged one")


def no_query_in_its_log(behind):
	"""Neither of a request that is answered nor of one that goes wrong."""
	with behind.running():
		status, text, _ = behind.http.request(
			"GET", f"/webhook/whatsapp?hub.mode=subscribe&hub.challenge=77&hub.verify_token={h.VERIFY_TOKEN}")
		equal((status, text), (200, b"77"), "answer to Meta's question")
		behind.http.request("POST", f"/receipt/sms?token={h.RECEIPT_TOKEN}", b'{"id": "1", "status": "sent"}')
		behind.post(b"x" * (5 << 20), f"?token={h.RECEIPT_TOKEN}")
		behind.house.stop()
		status = behind.http.request("POST", f"/receipt/sms?token={h.RECEIPT_TOKEN}", b"{}")[0]
		behind.house.start()
	equal(status, 502, "answer without a daemon")
	logs = behind.logs()
	check('"GET /webhook/whatsapp" 200' in logs and '"POST /receipt/sms" 502' in logs, "requests missing in", logs)
	check(not re.search(f"{h.VERIFY_TOKEN}|{h.RECEIPT_TOKEN}|hub[.]", logs), "the log quotes a query", logs)


def big_and_slow(behind):
	with behind.running():
		equal(behind.post(b"x" * (5 << 20)), 413, "answer to 5 MiB")
		with behind.http.context.wrap_socket(socket.create_connection(("127.0.0.1", behind.port), timeout=20),
						     server_hostname="localhost") as slow:
			slow.sendall(b"POST /webhook/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab")
			answer = slow.recv(1000)
			check(b"408" in answer or not answer, "a slow client is not cut", answer)
			while answer:
				answer = slow.recv(1000)


def renewed_by_nginx(behind):
	with behind.running() as server:
		kept = behind.http.connect()
		person, body = behind.hello()
		equal(common_name(behind.port, behind.authority), "primero", "subject before")
		behind.authority.issue("front", "/CN=segundo")
		server.process.send_signal(signal.SIGHUP)
		until(lambda: common_name(behind.port, behind.authority) == "segundo", 10 * h.PATIENCE, "the new one")
		equal(behind.post(body), 200, "answer")
		kept.close()


def only_meta(behind):
	"""The lines for Meta's client certificate, taken into use."""
	meta, other = Authority(behind.folder, "meta-ca"), Authority(behind.folder, "other-ca")
	good = meta.issue("good", "/O=Meta/CN=client.webhooks.fbclientcerts.com")
	wrong = meta.issue("near", "/O=Meta/CN=client.webhooks.fbclientcerts.com.example")
	forged = other.issue("forged", "/O=Meta/CN=client.webhooks.fbclientcerts.com")
	with behind.running((r"#(ssl_client_certificate|ssl_verify|if \(\$ssl|\treturn 403|})", r"\1")):
		for chain, wanted in ((good, 200), (wrong, 403), (None, 403), (forged, 400)):
			equal(behind.post(behind.hello()[1], http=Https(behind.port, behind.authority, chain)), wanted,
			      f"answer to {chain}")


def forge(house, address):
	"""A delivery that somebody else signed, through a proxy that is trusted; its answer."""
	return house.post(b"{}", secret="otra", headers={"X-Forwarded-For": f"192.0.2.1, {address}"}, full=True)


def good(house, address):
	person = house.stranger()
	return house.post(webhook.of(person, person.text("hola")), headers={"X-Forwarded-For": address})


def told(house):
	"""How many requests were refused, by the journal."""
	return sum(map(int, re.findall(r"(\d+) requests were refused with 429", house.log())))


def bad_senders_are_limited(behind):
	"""By their own address, and neither others nor the provider."""
	house = behind.house
	equal([forge(house, "198.51.100.7")[0] for _ in range(BAD_REQUESTS)], [403] * BAD_REQUESTS, "answers to forged ones")
	status, _, headers = forge(house, "198.51.100.7")
	equal((status, headers["Retry-After"]), (429, "5"), "answer to one more")
	equal(good(house, "198.51.100.7"), 429, "answer to a good one of his")
	equal(forge(house, "198.51.100.8")[0], 403, "answer to another's")
	equal(good(house, "198.51.100.9"), 200, "answer to the provider")
	equal([forge(house, "198.51.100.9")[0] for _ in range(3 * BAD_REQUESTS)], [403] * 3 * BAD_REQUESTS,
	      "answers to the provider's bad ones")
	equal(good(house, "198.51.100.9"), 200, "answer to the provider")
	for path, wanted in ((f"/webhook/whatsapp?hub.mode=subscribe&hub.challenge=77&hub.verify_token={h.VERIFY_TOKEN}", 403),
			     ("/healthz", 429)):  # anybody may ask this, the other only who has the token
		address = f"198.51.100.{wanted % 256}"
		equal(house.http.request("GET", path, headers={"X-Forwarded-For": address})[0], 200, f"answer to GET {path}")
		equal([forge(house, address)[0] for _ in range(BAD_REQUESTS + 1)], [403] * BAD_REQUESTS + [wanted],
		      f"answers to bad ones after {path}")
	until(lambda: told(house) == 3, 20 * h.PATIENCE, "the journal to tell")
	check("198.51.100" not in house.log(), "the journal holds an address")


def nobody_is_believed_by_default(behind):
	"""Without trusted_proxies the header names nobody who could be limited, and the journal tells."""
	house = behind.house
	with_header, house.settings["listen"] = house.settings["listen"], {"bad_requests": BAD_REQUESTS}
	house.write_config()
	house.restart()
	check("is not in listen.trusted_proxies" not in house.log(), "told of a proxy that is trusted")
	equal({forge(house, "198.51.100.7")[0] for _ in range(3 * BAD_REQUESTS)}, {403}, "answers")
	until(lambda: "is not in listen.trusted_proxies" in house.log(), 20 * h.PATIENCE, "the journal to tell")
	house.settings["listen"] = with_header
	house.write_config()
	house.restart()


BEHIND = [
	("an address with bad requests only is limited", bad_senders_are_limited),
	("nobody's X-Forwarded-For is believed by default", nobody_is_believed_by_default),
	("a webhook by nginx with the sample, and nothing else", webhook_by_nginx),
	("no query string in nginx's log", no_query_in_its_log),
	("a big body is refused, a slow client cut", big_and_slow),
	("a certificate renewed by nginx's reload", renewed_by_nginx),
	("Meta's client certificate", only_meta),
]


def main():
	failed = 0
	for tests, kind in ((OUTSIDE, Outside), (SECURED, Secured), (BEHIND, Behind)):
		chosen = tap.chosen(tests)
		if not chosen:
			continue
		with h.House(customers=20, environment={"LC_ALL": "C"}, start=False) as house:
			failed |= h.run(chosen, house, kind(house))
	return failed


if __name__ == "__main__":
	sys.exit(main())
