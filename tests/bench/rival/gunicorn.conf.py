# SPDX-License-Identifier: Apache-2.0
"""gunicorn's settings. The processes that answer are its children too, so that one process stands for all."""

import multiprocessing
import os

workers = int(os.environ.get("RIVAL_WORKERS", "3"))
threads = int(os.environ.get("RIVAL_THREADS", "8"))
worker_class = "gthread"
keepalive = 60
backlog = 1024
loglevel = "warning"


def when_ready(_):
	import bot
	import settings
	fork = multiprocessing.get_context("spawn")
	for number in range(settings.BOTS):
		fork.Process(target=bot.main, args=(number,), daemon=True).start()
