// SPDX-License-Identifier: Apache-2.0
//
// How one message looks. Loaded before page.js, whose chat, send() and the like it uses when called.
// Whatever comes from a message is shown by textContent, never as markup.
"use strict";

const ZONE = "America/Bogota";
const REACTIONS = [["👍", "me gusta"], ["❤️", "corazón"], ["😂", "risa"], ["😮", "sorpresa"], ["🙏", "gracias"]];

// ---- small helpers ----

function make(tag, className, text) {
	const node = document.createElement(tag);
	if (className)
		node.className = className;
	if (text !== undefined)
		node.textContent = text;
	return node;
}

const DRAWINGS = {
	clock: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l3 2"],
	one: ["M5 8.5l4 4.5L17.5 3"],
	two: ["M1.5 8.5l4 4.5L14 3", "M10.5 12l1 1L20 3"],
	reply: ["M10 6L4 12l6 6", "M4 12h9c4 0 7 2 7 7"],
	list: ["M9 6h11M9 12h11M9 18h11", "M4 6h.01M4 12h.01M4 18h.01"],
	down: ["M6 9l6 6 6-6"],
	save: ["M12 4v11M7 11l5 5 5-5M5 20h14"],
};

function drawing(name) {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	svg.setAttribute("viewBox", name === "one" || name === "two" ? "0 0 22 16" : "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	for (const d of DRAWINGS[name]) {
		const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
		path.setAttribute("d", d);
		svg.append(path);
	}
	return svg;
}

const pause = (ms, signal) => new Promise((resolve) => {
	const timer = setTimeout(resolve, ms);
	if (signal)
		signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, {once: true});
});

const timeFormat = new Intl.DateTimeFormat("es-CO", {hour: "numeric", minute: "2-digit", timeZone: ZONE});
const dayFormat = new Intl.DateTimeFormat("es-CO", {day: "numeric", month: "long", year: "numeric", timeZone: ZONE});

const houseNow = () => Date.now() + chat.clockSkew;

function dayName(ms) {
	const day = dayFormat.format(ms);
	if (day === dayFormat.format(houseNow()))
		return "Hoy";
	return day === dayFormat.format(houseNow() - 86400000) ? "Ayer" : day;
}

const isPhone = (key) => /^[0-9]{7,15}$/.test(key);
const isKey = (key) => isPhone(key) || /^[A-Z]{2}\.[A-Za-z0-9]{1,44}$/.test(key);

function phoneText(key) {
	const parts = /^57(\d{3})(\d{3})(\d{4})$/.exec(key);
	if (parts)
		return `+57 ${parts[1]} ${parts[2]} ${parts[3]}`;
	return isPhone(key) ? `+${key}` : key;
}

const documentText = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ".");

function sizeText(bytes) {
	return bytes < 1048576 ? `${Math.max(1, Math.round(bytes / 1024))} kB`
			       : `${(bytes / 1048576).toFixed(1).replace(".", ",")} MB`;
}

// ---- WhatsApp's formatting: *bold* _italic_ ~strike~ `mono` ```mono``` and links ----

const STYLES = {"*": "strong", "_": "em", "~": "s", "`": "code"};
const INLINE = /(?<url>https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])|(?<![\p{L}\p{N}])(?<mark>[*_~`])(?=\S)(?<inner>[^\n]*?\S)\k<mark>(?![\p{L}\p{N}])/u;

function appendInline(parent, text) {
	for (let match = INLINE.exec(text); match; match = INLINE.exec(text)) {
		parent.append(text.slice(0, match.index));
		parent.append(inlineNode(match.groups));
		text = text.slice(match.index + match[0].length);
	}
	parent.append(text);
}

function inlineNode({url, mark, inner}) {
	if (url) {
		const link = make("a", "", url);
		link.href = url;
		link.target = "_blank";
		link.rel = "noopener noreferrer";
		return link;
	}
	const node = make(STYLES[mark]);
	if (mark === "`")
		node.textContent = inner;
	else
		appendInline(node, inner);
	return node;
}

function formatted(className, text) {
	const node = make("div", className);
	text.split("```").forEach((part, i, all) => {
		if (i % 2 && i < all.length - 1)
			node.append(make("code", "", part));
		else
			appendInline(node, i % 2 ? "```" + part : part);
	});
	return node;
}

// ---- one bubble ----

const TICKS = {
	pending: ["clock", "Enviando"],
	retrying: ["clock", "Reintentando"],
	sent: ["one", "Enviado"],
	delivered: ["two", "Entregado"],
	read: ["two", "Leído"],
};

function fillMeta(meta, item) {
	const [name, words] = TICKS[item.state] || [];

	meta.replaceChildren();
	if (item.from === "customer" && item.state === "retrying")
		meta.append(make("span", "", "Reintentando…"));
	if (item.from === "customer" && item.state === "failed")
		meta.append(make("span", "failed", "No se pudo enviar"));
	meta.append(make("time", "", timeFormat.format(item.at)));
	if (item.from !== "customer" || !name)
		return;
	const tick = make("span", `tick is-${item.state}`);
	tick.setAttribute("role", "img");
	tick.setAttribute("aria-label", words);
	tick.title = words;
	tick.append(drawing(name));
	meta.append(tick);
}

function plainText(item) {
	const words = {image: "Foto", document: "Documento", audio: "Audio"};
	return item.body || (item.media && item.media.name) || words[item.kind] || "Mensaje";
}

function quoteNode(item) {
	const known = chat.items.get(item.reply_to);
	const box = make("button", "quoted");
	box.type = "button";
	box.append(make("b", "", !known || known.item.from === "bot" ? chat.business : "Usted"));
	box.append(make("span", "", known ? plainText(known.item) : "Mensaje anterior"));
	if (known)
		box.addEventListener("click", () => known.node.scrollIntoView({block: "center"}));
	return box;
}

const mediaAddress = (media) => `/api/media?id=${encodeURIComponent(media.id)}`;

function photoNode(media) {
	const photo = make("img", "photo");
	photo.src = mediaAddress(media);
	photo.alt = media.name || "Foto";
	photo.addEventListener("load", stayAtEnd);
	return photo;
}

function audioNode(media) {
	const audio = make("audio");
	audio.controls = true;
	audio.src = mediaAddress(media);
	audio.setAttribute("aria-label", media.name || "Audio");
	return audio;
}

function fileNode(media) {
	const link = make("a", "file");
	const words = make("span");
	const kind = (/\.([A-Za-z0-9]{1,4})$/.exec(media.name) || [])[1] || "";
	link.href = mediaAddress(media);
	link.download = media.name;
	link.append(make("span", "page", kind.toUpperCase()));
	words.append(make("b", "", media.name));
	words.append(make("small", "", [kind.toUpperCase(), sizeText(media.size)].filter(Boolean).join(" · ")));
	link.append(words, drawing("save"));
	return link;
}

function mediaNode(item) {
	if (item.kind === "image")
		return photoNode(item.media);
	return item.kind === "audio" ? audioNode(item.media) : fileNode(item.media);
}

function choiceButton(icon, title, action) {
	const button = make("button", "choice");
	button.type = "button";
	button.append(drawing(icon), make("span", "", title));
	button.addEventListener("click", () => {
		if (button.getAttribute("aria-disabled") !== "true")
			action();
	});
	return button;
}

function choicesNode(item) {
	const box = make("div", "choices");
	if (item.kind === "list")
		box.append(choiceButton("list", item.list_button, () => openSheet(item)));
	else
		for (const choice of item.choices)
			box.append(choiceButton("reply", choice.title, () => send({
				type: "button", text: choice.title, reply_id: choice.id, context_id: item.id})));
	return box;
}

function toolsNode(item) {
	const tools = make("details", "tools");
	const summary = make("summary");
	const menu = make("div", "menu");
	const reply = make("button", "", "Responder");
	const emojis = make("div", "emojis");
	summary.setAttribute("aria-label", "Opciones del mensaje");
	summary.append(drawing("down"));
	reply.type = "button";
	reply.addEventListener("click", () => { tools.open = false; setQuote(item); });
	for (const [emoji, name] of REACTIONS) {
		const button = make("button", "", emoji);
		button.type = "button";
		button.setAttribute("aria-label", `Reaccionar: ${name}`);
		button.addEventListener("click", () => {
			tools.open = false;
			send({type: "reaction", text: emoji, context_id: item.id});
		});
		emojis.append(button);
	}
	menu.append(reply, emojis);
	tools.append(summary, menu);
	return tools;
}

function bubbleNode(item) {
	const node = make("div", `bubble from-${item.from}`);
	const meta = make("div", "meta");
	node.dataset.id = item.id;
	node.dataset.kind = item.kind;
	if (item.reply_to)
		node.append(quoteNode(item));
	if (item.media)
		node.append(mediaNode(item));
	if (item.header)
		node.append(make("div", "title", item.header));
	if (item.body)
		node.append(formatted("body", item.body));
	if (item.footer)
		node.append(make("div", "foot", item.footer));
	meta.setAttribute("aria-live", "off"); // ticks change silently
	fillMeta(meta, item);
	node.append(meta);
	if (item.choices)
		node.append(choicesNode(item));
	if (item.from === "bot")
		node.append(toolsNode(item));
	return node;
}
