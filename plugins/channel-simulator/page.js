// SPDX-License-Identifier: Apache-2.0
//
// The simulated telephone: one chat, one mobile's SMS. Talks to api.h's address list and to nothing
// else.
"use strict";

const RETRY_MS = 1500;
const HIDDEN_POLL_MS = 2000;
const PROFILE_NAME = "Cliente de prueba"; // as a person calls himself on WhatsApp
const FILE_BYTES_MAX = 16 * 1024 * 1024;

const $ = (id) => document.getElementById(id);

// Who is writing, what is on the screen, how far the page has read.
const chat = {
	customers: [],
	business: "ProAlto",
	customer: -1, // index in customers; -1: nobody of the list
	phone: "",
	sms: "",
	epoch: "",
	after: 0,
	clockSkew: 0,
	items: new Map(), // id -> {item, node}
	lastDay: "",
	lastFrom: "",
	isAtEnd: true, // the person looks at the end, and goes on seeing it when sizes change
	seenSeq: 0,
	readSeq: 0,
	smsUnseen: 0,
	quote: null,
	poll: null, // AbortController of the running poll loop
	outbox: Promise.resolve(),
};

// ---- the chat ----

const isNearEnd = () => $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < 160;
const scrollToEnd = () => { $("log").scrollTop = $("log").scrollHeight; };

function stayAtEnd() {
	if (chat.isAtEnd)
		scrollToEnd();
}

function addDay(item) {
	const day = dayName(item.at);
	if (day === chat.lastDay)
		return;
	chat.lastDay = day;
	chat.lastFrom = "";
	$("bubbles").append(make("p", "pill", day));
}

function applyReaction(item) {
	const target = chat.items.get(item.reply_to);
	if (!target)
		return;
	for (const old of target.node.querySelectorAll(".reaction"))
		old.remove();
	target.node.classList.toggle("reacted", Boolean(item.body));
	if (item.body)
		target.node.append(make("span", "reaction", item.body));
}

// As on the telephone, the buttons of a message answer once.
function disableButtons(item) {
	const target = item.kind === "button" && chat.items.get(item.reply_to);
	if (!target)
		return;
	for (const button of target.node.querySelectorAll(".choice"))
		button.setAttribute("aria-disabled", "true");
}

function addItem(item) {
	if (item.kind === "reaction") {
		chat.items.set(item.id, {item, node: $("bubbles")});
		applyReaction(item);
		return;
	}
	addDay(item);
	const node = bubbleNode(item);
	if (chat.lastFrom !== item.from)
		node.classList.add("first");
	chat.lastFrom = item.from;
	chat.items.set(item.id, {item, node});
	$("bubbles").append(node);
	disableButtons(item);
}

function showItem(item) {
	const known = chat.items.get(item.id);
	if (!known) {
		addItem(item);
		return;
	}
	known.item = item;
	const meta = known.node.querySelector(":scope > .meta");
	if (meta)
		fillMeta(meta, item);
}

function showChat(items) {
	if (items.some((item) => item.from === "customer" && !chat.items.has(item.id)))
		chat.isAtEnd = true;
	for (const item of items) {
		showItem(item);
		if (item.from === "bot")
			chat.seenSeq = Math.max(chat.seenSeq, item.seq);
	}
	stayAtEnd();
}

function showTyping(isTyping) {
	$("typing").hidden = !isTyping;
	$("presence").textContent = isTyping ? "escribiendo…" : "cuenta de empresa";
	stayAtEnd();
}

// The house's messages are read when somebody can see them.
function markRead() {
	const isVisible = document.visibilityState === "visible" && $("chat").offsetParent !== null;
	if (!isVisible || chat.seenSeq <= chat.readSeq)
		return;
	chat.readSeq = chat.seenSeq;
	post("/api/read", {phone: chat.phone, upto: chat.seenSeq}).catch(() => { chat.readSeq = 0; });
}

// ---- the SMS ----

function showSms(items) {
	for (const item of items) {
		if (chat.items.has(item.id))
			continue;
		const text = make("div", "text", item.body);
		const empty = $("sms-log").querySelector(".empty");
		if (empty)
			empty.remove();
		text.dataset.id = item.id;
		chat.items.set(item.id, {item, node: text});
		$("sms-log").append(make("time", "", `${dayName(item.at)}, ${timeFormat.format(item.at)}`), text);
		$("sms-log").scrollTop = $("sms-log").scrollHeight;
		chat.smsUnseen++;
	}
	updateBadge();
}

function updateBadge() {
	if ($("sms").offsetParent !== null)
		chat.smsUnseen = 0;
	$("sms-badge").textContent = String(chat.smsUnseen);
	$("sms-badge").hidden = chat.smsUnseen === 0;
}

// ---- talking to the simulator ----

async function post(address, json) {
	const answer = await fetch(address, {
		method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(json)});
	return {status: answer.status, json: await answer.json().catch(() => ({}))};
}

function applyEvents(events) {
	if (events.epoch !== chat.epoch)
		chat.readSeq = chat.seenSeq = 0;
	chat.epoch = events.epoch;
	chat.after = events.next;
	chat.clockSkew = events.now - Date.now();
	showChat(events.chat);
	showSms(events.sms);
	showTyping(events.typing);
	markRead();
}

async function pollOnce(signal) {
	const query = new URLSearchParams({
		phone: chat.phone, sms: chat.sms, after: String(chat.after), epoch: chat.epoch,
		// A browser opens six connections to one address at most: hidden tabs don't hold one.
		wait: document.hidden || !chat.epoch ? "0" : "20000",
	});
	const answer = await fetch(`/api/events?${query}`, {signal});
	if (!answer.ok)
		throw new Error(String(answer.status));
	const events = await answer.json();
	if (!signal.aborted)
		applyEvents(events);
}

async function pollLoop(signal) {
	while (!signal.aborted) {
		try {
			await pollOnce(signal);
			setBanner("");
			if (document.hidden)
				await pause(HIDDEN_POLL_MS, signal);
		} catch (failure) {
			if (signal.aborted)
				return;
			setBanner("Sin conexión con el asistente. Reintentando…");
			await pause(RETRY_MS, signal);
		}
	}
}

function startPoll() {
	if (chat.poll)
		chat.poll.abort();
	chat.poll = new AbortController();
	pollLoop(chat.poll.signal);
}

function setBanner(text) {
	if ($("banner").textContent !== text)
		$("banner").textContent = text;
	$("banner").hidden = !text;
}

function setState(id, state) {
	const known = chat.items.get(id);
	if (known && known.item.state !== state)
		showItem({...known.item, state});
}

// One tick only when the daemon has the message for good; until then the same message is posted
// again under the same id, also over a restart of the daemon.
async function deliver(message) {
	for (;;) {
		let status = 503;
		try {
			status = (await post("/api/message", message)).status;
		} catch (failure) {
			status = 503;
		}
		if (status === 200)
			return;
		if (status !== 503) {
			setState(`sim.${message.id}`, "failed");
			return;
		}
		setState(`sim.${message.id}`, "retrying");
		await pause(RETRY_MS);
	}
}

function newId() {
	const bytes = crypto.getRandomValues(new Uint8Array(12));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function send(message) {
	const posted = {id: newId(), from: chat.phone, name: PROFILE_NAME, ...message};
	const {type, text, context_id, media, ...rest} = posted;
	showChat([{...rest, id: `sim.${posted.id}`, from: "customer", kind: type, body: text, media,
		   reply_to: context_id, state: "pending", at: houseNow(), seq: 0}]);
	delete posted.media;
	chat.outbox = chat.outbox.then(() => deliver(posted));
}

// ---- writing ----

function setQuote(item) {
	chat.quote = item;
	$("quote-bar").hidden = !item;
	$("quote-text").textContent = item ? plainText(item) : "";
	$("text").focus();
}

function fitText() {
	$("text").style.height = "auto";
	$("text").style.height = `${$("text").scrollHeight}px`;
}

function sendText() {
	const text = $("text").value.trim();
	if (!text)
		return;
	send({type: "text", text, ...(chat.quote ? {context_id: chat.quote.id} : {})});
	$("text").value = "";
	fitText();
	setQuote(null);
}

async function sendFile(type, file) {
	const name = file.name || "archivo";
	if (file.size > FILE_BYTES_MAX || !file.size) {
		setBanner(file.size ? "El archivo pesa más de 16 MB." : "El archivo está vacío.");
		return;
	}
	setBanner("Subiendo el archivo…");
	try {
		const answer = await fetch(`/api/media?name=${encodeURIComponent(name)}`, {
			method: "POST", headers: {"Content-Type": file.type || "application/octet-stream"}, body: file});
		const media = await answer.json();
		if (!answer.ok)
			throw new Error(media.error);
		setBanner("");
		send({type, media_id: media.id, media: {id: media.id, name, type: file.type, size: file.size}});
	} catch (failure) {
		setBanner("No se pudo subir el archivo. Intente de nuevo.");
	}
}

// ---- a list's sheet ----

function rowNode(row) {
	const label = make("label");
	const words = make("span", "", row.title);
	const radio = make("input");
	radio.type = "radio";
	radio.name = "row";
	radio.value = row.id;
	radio.addEventListener("change", () => { $("sheet-send").disabled = false; });
	if (row.description)
		words.append(make("small", "", row.description));
	label.append(words, radio);
	return label;
}

function openSheet(item) {
	let section = null;
	$("sheet-title").textContent = item.list_button;
	$("sheet-rows").replaceChildren();
	for (const row of item.choices) {
		if (!section || (row.section && row.section !== section.dataset.title)) {
			section = make("fieldset");
			section.dataset.title = row.section || "";
			section.append(make("legend", row.section ? "" : "sr", row.section || item.list_button));
			$("sheet-rows").append(section);
		}
		section.append(rowNode(row));
	}
	$("sheet-send").disabled = true;
	$("sheet").item = item;
	placeSheet();
	$("sheet").showModal();
	const first = $("sheet-rows").querySelector("input");
	if (first)
		first.focus();
}

// At the bottom of the telephone, not of the window.
function placeSheet() {
	const phone = $("chat").getBoundingClientRect();
	const edge = $("chat").clientLeft;
	$("sheet").style.width = `${phone.width - 2 * edge}px`;
	$("sheet").style.marginLeft = `${phone.left + edge}px`;
	$("sheet").style.marginBottom = `${Math.max(0, window.innerHeight - phone.bottom + edge)}px`;
}

function sendRow(event) {
	const item = $("sheet").item;
	const chosen = $("sheet-rows").querySelector("input:checked");
	event.preventDefault();
	if (!chosen)
		return;
	const row = item.choices.find((choice) => choice.id === chosen.value);
	$("sheet").close();
	send({type: "row", text: row.title, reply_id: row.id, context_id: item.id});
	$("text").focus();
}

// ---- who writes ----

const customer = () => chat.customers[chat.customer];

// Telephones of the page's own making: 300 555 is nobody's.
function keyFor(as) {
	const n = Math.max(0, chat.customer);
	if (as === "own" && customer() && customer().mobile)
		return customer().mobile;
	return as === "hidden" ? `CO.SIM${1000 + n}` : `57300555${2000 + n}`;
}

function asOf(key) {
	if (customer() && key === customer().mobile)
		return "own";
	return isPhone(key) ? "other" : "hidden";
}

function address(index, phone) {
	return `/?${new URLSearchParams({cliente: String(index + 1), telefono: phone})}`;
}

function customerNode(entry, i) {
	const li = make("li");
	const button = make("button", "customer");
	const paste = make("button", "small-button paste", "Escribir su cédula en el chat");
	button.type = paste.type = "button";
	button.append(make("b", "", entry.label));
	const mobile = entry.mobile ? phoneText(entry.mobile) : "sin celular";
	button.append(make("span", "facts", `Cédula ${documentText(entry.document)} · ${mobile}`));
	if (entry.try)
		button.append(make("span", "", entry.try));
	button.addEventListener("click", () => usePerson(i, entry.mobile || `57300555${2000 + i}`));
	paste.hidden = i !== chat.customer;
	paste.addEventListener("click", () => {
		setView("chat");
		$("text").value = entry.document;
		fitText();
		$("text").focus();
	});
	button.setAttribute("aria-current", String(i === chat.customer));
	li.append(button, paste);
	return li;
}

function showPeople() {
	const as = asOf(chat.phone);
	const own = document.querySelector("input[name=as][value=own]");
	$("customers").replaceChildren(...chat.customers.map(customerNode));
	own.disabled = !customer() || !customer().mobile;
	document.querySelector(`input[name=as][value=${as}]`).checked = true;
	$("phone").value = chat.phone;
	$("phone-note").textContent = "";
	$("new-tab").href = address(chat.customer, chat.phone);
	$("about").textContent = `Usted escribe desde ${phoneText(chat.phone)}. Nada sale de este equipo.`;
	$("sms-note").textContent = chat.sms ? `Llegan al celular ${phoneText(chat.sms)}.`
					     : "Este cliente no tiene celular registrado.";
}

function clearScreen() {
	chat.items.clear();
	Object.assign(chat, {after: 0, epoch: "", lastDay: "", lastFrom: "", isAtEnd: true, seenSeq: 0, readSeq: 0, smsUnseen: 0});
	$("bubbles").replaceChildren();
	$("sms-log").replaceChildren(make("p", "empty", "Todavía no hay mensajes de texto."));
	setQuote(null);
	showTyping(false);
	updateBadge();
}

// SMS go to the registered mobile of the customer, whatever telephone writes.
function usePerson(index, phone) {
	chat.customer = index;
	chat.phone = phone;
	chat.sms = (customer() && customer().mobile) || (isPhone(phone) ? phone : "");
	history.replaceState(null, "", address(index, phone));
	clearScreen();
	showPeople();
	setView("chat");
	document.title = `${phoneText(phone)} · Simulador de WhatsApp`;
	startPoll();
}

function choosePhone(event) {
	const key = $("phone").value.replace(/[\s+]/g, "");
	event.preventDefault();
	if (isKey(key)) {
		usePerson(chat.customer, key);
		return;
	}
	$("phone-note").textContent = "Escriba un celular con 57 adelante, o un usuario como CO.SIM1000.";
	$("phone").focus();
}

// ---- one pane at a time on a telephone ----

function setView(view) {
	document.body.dataset.view = view;
	stayAtEnd();
	updateBadge();
	markRead();
	const back = document.querySelector(`#${view === "chat" ? "composer" : view} button.narrow-only`);
	if (back && back.offsetParent !== null)
		back.focus();
}

// ---- start ----

function listen() {
	$("composer").addEventListener("submit", (event) => { event.preventDefault(); sendText(); });
	$("text").addEventListener("input", fitText);
	$("text").addEventListener("keydown", (event) => {
		if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
			event.preventDefault();
			sendText();
		}
	});
	$("quote-cancel").addEventListener("click", () => setQuote(null));
	$("sheet-form").addEventListener("submit", sendRow);
	$("sheet-close").addEventListener("click", () => $("sheet").close());
	$("sheet").addEventListener("click", (event) => {
		if (event.target === $("sheet"))
			$("sheet").close();
	});
	$("log").addEventListener("scroll", () => { chat.isAtEnd = isNearEnd(); });
	window.addEventListener("resize", () => { placeSheet(); stayAtEnd(); updateBadge(); });
	for (const input of document.querySelectorAll("#attach input"))
		input.addEventListener("change", () => {
			for (const file of input.files)
				sendFile(input.dataset.type, file);
			input.value = "";
			$("attach").open = false;
		});
	document.addEventListener("click", (event) => {
		for (const menu of document.querySelectorAll("details[open]"))
			if (!menu.contains(event.target))
				menu.open = false;
	});
	document.addEventListener("keydown", (event) => {
		if (event.key === "Escape")
			for (const menu of document.querySelectorAll("details[open]")) {
				menu.open = false;
				menu.querySelector("summary").focus();
			}
	});
	$("phone-form").addEventListener("submit", choosePhone);
	for (const radio of document.querySelectorAll("input[name=as]"))
		radio.addEventListener("change", () => { $("phone").value = keyFor(radio.value); });
	for (const button of document.querySelectorAll("[data-view]:not(body)"))
		button.addEventListener("click", () => setView(button.dataset.view));
	document.addEventListener("visibilitychange", () => {
		markRead();
		if (!document.hidden)
			startPoll(); // a tab that comes to the front asks at once
	});
}

async function loadPeople() {
	for (;;) {
		try {
			const answer = await fetch("/api/customers");
			return await answer.json();
		} catch (failure) {
			setBanner("Sin conexión con el asistente. Reintentando…");
			await pause(RETRY_MS);
		}
	}
}

async function start() {
	const asked = new URLSearchParams(location.search);
	const people = await loadPeople();
	chat.customers = people.customers;
	chat.business = people.business;
	$("business").textContent = people.business;
	chat.customer = Math.min(Math.max(parseInt(asked.get("cliente") || "1", 10) - 1 || 0, -1),
				 chat.customers.length - 1);
	const phone = asked.get("telefono") || "";
	listen();
	usePerson(chat.customer, isKey(phone) ? phone : keyFor("own"));
}

start();
