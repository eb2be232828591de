# SPDX-License-Identifier: Apache-2.0
"""What the rival's parts share; from the environment, which tests/bench/rival.py sets."""

import os
import zlib

DATABASE = os.environ["RIVAL_DATABASE"]
SECRET = os.environ["RIVAL_SECRET"].encode()
TOKEN = os.environ["RIVAL_TOKEN"]
GRAPH_PORT = int(os.environ["RIVAL_GRAPH_PORT"])
PHONE_ID = os.environ["RIVAL_PHONE_ID"]
BOTS = int(os.environ.get("RIVAL_BOTS", "2"))            # processes that answer ...
BOT_THREADS = int(os.environ.get("RIVAL_BOT_THREADS", "4"))  # ... and threads of each
SHARDS = BOTS * BOT_THREADS


def shard_of(phone):
	"""One person's messages are one thread's, so that they are answered in order."""
	return zlib.crc32(phone.encode()) % SHARDS
