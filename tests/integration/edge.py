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


def main():
	names = sys.argv[1:]
	tests = [(name, test) for name, test in OUTSIDE if not names or any(word in name for word in names)]
	with h.House(customers=20, environment={"LC_ALL": "C"}, start=False) as house:
		failed = tap.run(tests, Outside(house))
		if failed:
			tap.say(house.log_tail(30))
	return 1 if failed else 0


if __name__ == "__main__":
	sys.exit(main())
