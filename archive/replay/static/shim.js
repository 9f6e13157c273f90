// Goes first into a replayed page whose scripts run, and sends what they ask for to the archive.
//
// It forbids nothing that the page's policy does not forbid as well: it is there so that what a page asks for is found.
// The element that loads it says where the page was captured (data-url), how an address in the archive is made
// (data-link), and when the capture was taken (data-time).
//
// - Requests: fetch, XMLHttpRequest, Worker, and whatever elements load, however scripts set it.
// - Refused, for there is nobody to answer: WebSocket, EventSource, WebTransport, RTCPeerConnection, sendBeacon, service
//   and shared workers, new windows.
// - The page is in a sandbox of no origin, where cookies and storage would throw: it gets ones that forget all when it
//   goes. document.URL, baseURI and referrer say what they said on the live web; `location` cannot be replaced, and says
//   where the page is replayed from. A script that assigns to it is stopped by the policy of the page around this one.
// - Time starts at the capture and runs on; Math.random gives the same numbers each time, so that a replay repeats.
"use strict";
(() => {
  const { url: pageUrl, link: pattern, time } = document.currentScript.dataset;
  const [beforeModifier, rest] = pattern.split("{modifier}");
  const betweenUrl = rest.split("{url}")[0];
  const here = new URL(beforeModifier, document.currentScript.src).href; // an address in the archive begins so
  const archivedForm = /^\d{0,14}[a-z]*_?\//;
  const archiveRoot = here.replace(/\d*$/, "");
  let base = pageUrl;

  // ---- addresses

  const archived = (reference, modifier = "") => {
    const text = String(reference).trim();
    if (!text || text.startsWith("#")) return reference;
    let absolute;
    try {
      if (text.startsWith(beforeModifier) || text.startsWith(archiveRoot)) return reference;
      absolute = new URL(text, base);
    } catch {
      return reference;
    }
    // A script that puts addresses together from `location` gets the host that pages are replayed from.
    if (absolute.origin === new URL(here).origin) {
      absolute = new URL(absolute.pathname + absolute.search + absolute.hash, base);
    }
    if (absolute.protocol !== "http:" && absolute.protocol !== "https:") return reference;
    return here + modifier + betweenUrl + absolute.href;
  };

  const live = (address) => {
    const text = String(address);
    if (!text.startsWith(archiveRoot)) return text;
    const inside = text.slice(archiveRoot.length);
    return archivedForm.test(inside) ? inside.replace(archivedForm, "") : text;
  };

  const srcset = (value) =>
    String(value).replace(/([^\s,]\S*[^\s,]|[^\s,])(\s+[^,]*)?(,|$)/g, (_, one, descriptors = "", comma) =>
      archived(one, "im_") + descriptors + comma);

  const css = (text) =>
    String(text)
      .replace(/url\(\s*(["']?)([^"')]+)\1\s*\)/gi, (_, quote, one) => `url("${archived(one, "im_")}")`)
      .replace(/(@import\s+)(["'])([^"']+)\2/gi, (_, before, quote, one) => `${before}"${archived(one, "cs_")}"`);

  const modifiers = {
    IMG: "im_", INPUT: "im_", SCRIPT: "js_", IFRAME: "if_", FRAME: "if_", EMBED: "oe_", OBJECT: "oe_",
    AUDIO: "oe_", VIDEO: "oe_", SOURCE: "oe_", TRACK: "oe_", IMAGE: "im_", USE: "im_",
  };
  const references = new Set(["src", "href", "xlink:href", "action", "formaction", "poster", "data", "background"]);
  const dropped = new Set(["integrity", "crossorigin", "ping", "csp"]);

  const attribute = (element, name, value) => {
    const key = String(name).toLowerCase();
    if (references.has(key)) {
      const kind = element.tagName === "LINK" && /stylesheet/i.test(element.rel || "") ? "cs_"
        : key === "poster" || key === "background" ? "im_"
          : key === "src" || key === "data" || element.tagName !== "A" ? modifiers[element.tagName.toUpperCase()] || ""
            : "";
      return archived(value, kind);
    }
    if (key === "srcset" || key === "imagesrcset") return srcset(value);
    if (key === "style") return css(value);
    if (key === "srcdoc") return markup(value);
    if (key === "target" && /^_/.test(value)) return "_self";
    return dropped.has(key) ? null : value;
  };

  // ---- what is kept of the browser before it is changed

  const native = {
    setAttribute: Element.prototype.setAttribute,
    innerHTML: Object.getOwnPropertyDescriptor(Element.prototype, "innerHTML"),
    fetch: window.fetch,
    open: XMLHttpRequest.prototype.open,
  };

  const rewriteTree = (root) => {
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of [...element.attributes]) {
        const changed = attribute(element, name, value);
        if (changed === null) element.removeAttribute(name);
        else if (changed !== value) native.setAttribute.call(element, name, changed);
      }
      if (element.localName === "style") element.textContent = css(element.textContent);
      if (element.localName === "template") rewriteTree(element.content);
    }
  };

  // A template's content loads nothing and runs nothing.
  const markup = (html) => {
    const template = document.createElement("template");
    native.innerHTML.set.call(template, String(html));
    rewriteTree(template.content);
    return native.innerHTML.get.call(template);
  };

  // Parts of tags may come one by one: here only what stands whole in one piece can be changed.
  const written = (html) =>
    String(html).replace(/(\s(?:src|href|action|poster|data|background)\s*=\s*)(["'])((?:https?:)?\/[^"']*)\2/gi,
      (_, before, quote, one) => before + quote + archived(one) + quote);

  const replace = (owner, name, make) => {
    const found = Object.getOwnPropertyDescriptor(owner, name);
    if (found && found.configurable) Object.defineProperty(owner, name, { ...found, ...make(found) });
  };
  const replaceMethod = (owner, name, make) =>
    replace(owner, name, ({ value }) => ({ value: typeof value === "function" ? make(value) : value }));
  const define = (owner, name, get, set) => {
    try {
      Object.defineProperty(owner, name, { configurable: true, enumerable: true, get, set });
    } catch { /* the browser does not let it go */ }
  };
  const refusal = (what) => new DOMException(`${what} has no one to talk to in an archive`, "SecurityError");

  // ---- requests

  const archivedRequest = (input, options) => {
    return [input instanceof OldRequest ? input : archived(input), clean(options)];
  };
  const clean = (options) => options && { ...options, credentials: "omit", integrity: "", mode: undefined };

  const OldRequest = window.Request;
  window.Request = class Request extends OldRequest {
    constructor(input, options) { super(input instanceof OldRequest ? input : archived(input), clean(options)); }
  };
  window.fetch = function fetch(input, options) {
    const [request, cleaned] = archivedRequest(input, options);
    return native.fetch.call(window, request, cleaned).then((response) => {
      define(response, "url", () => live(Object.getOwnPropertyDescriptor(Response.prototype, "url").get.call(response)));
      return response;
    });
  };
  XMLHttpRequest.prototype.open = function open(method, address, ...more) {
    return native.open.call(this, method, archived(address), ...more);
  };
  replace(XMLHttpRequest.prototype, "responseURL", ({ get }) => ({ get() { return live(get.call(this)); } }));
  replace(XMLHttpRequest.prototype, "withCredentials", () => ({ get() { return false; }, set() {} }));

  const OldWorker = window.Worker;
  if (OldWorker) {
    window.Worker = class Worker extends OldWorker {
      constructor(address, options) {
        // A sandboxed page may start workers from blobs alone.
        const source = `importScripts(${JSON.stringify(new URL(archived(address, "js_"), here).href)});`;
        super(/^(blob|data):/i.test(address) ? address : URL.createObjectURL(new Blob([source])), options);
      }
    };
  }
  for (const name of ["WebSocket", "EventSource", "WebTransport", "RTCPeerConnection", "webkitRTCPeerConnection",
    "SharedWorker", "WebSocketStream"]) {
    if (name in window) window[name] = class { constructor() { throw refusal(name); } };
  }
  navigator.sendBeacon = () => false;
  define(navigator, "serviceWorker", () => ({
    controller: null,
    ready: new Promise(() => {}),
    register: () => Promise.reject(refusal("A service worker")),
    getRegistration: () => Promise.resolve(undefined),
    getRegistrations: () => Promise.resolve([]),
    addEventListener() {}, removeEventListener() {},
  }));
  window.open = () => null;

  // ---- what elements load

  for (const name of ["setAttribute", "setAttributeNS"]) {
    replaceMethod(Element.prototype, name, (old) => function (...given) {
      const value = attribute(this, given.at(-2), String(given.at(-1)));
      return value === null ? undefined : old.call(this, ...given.slice(0, -1), value);
    });
  }
  for (const [type, names] of Object.entries({
    HTMLImageElement: ["src", "srcset"], HTMLScriptElement: ["src", "integrity", "crossOrigin"],
    HTMLLinkElement: ["href", "integrity", "crossOrigin"], HTMLAnchorElement: ["href", "target"],
    HTMLAreaElement: ["href", "target"], HTMLIFrameElement: ["src", "srcdoc"], HTMLFrameElement: ["src"],
    HTMLSourceElement: ["src", "srcset"], HTMLMediaElement: ["src"], HTMLVideoElement: ["poster"],
    HTMLTrackElement: ["src"], HTMLEmbedElement: ["src"], HTMLObjectElement: ["data"], HTMLInputElement: ["src"],
    HTMLFormElement: ["action", "target"],
  })) {
    for (const name of names) {
      if (!window[type]) continue;
      replace(window[type].prototype, name, ({ get, set }) => ({
        get() { const value = get.call(this); return typeof value === "string" ? live(value) : value; },
        set(value) {
          const changed = attribute(this, name, String(value));
          if (changed !== null) set.call(this, changed);
        },
      }));
    }
  }
  for (const owner of [Element.prototype, ShadowRoot.prototype]) {
    replace(owner, "innerHTML", ({ get, set }) => ({
      get,
      set(html) {
        if (this.localName === "style") set.call(this, css(html));
        else set.call(this, this.localName === "script" ? html : markup(html));
      },
    }));
  }
  replace(Element.prototype, "outerHTML", ({ get, set }) => ({ get, set(html) { set.call(this, markup(html)); } }));
  replaceMethod(Element.prototype, "insertAdjacentHTML", (old) => function (where, html) {
    return old.call(this, where, markup(html));
  });
  replaceMethod(Range.prototype, "createContextualFragment", (old) => function (html) {
    return old.call(this, markup(html));
  });
  for (const name of ["write", "writeln"]) {
    replaceMethod(Document.prototype, name, (old) => function (...html) { return old.call(this, ...html.map(written)); });
  }
  replaceMethod(CSSStyleDeclaration.prototype, "setProperty", (old) => function (name, value, ...more) {
    return old.call(this, name, css(value), ...more);
  });
  replace(CSSStyleDeclaration.prototype, "cssText", ({ get, set }) => ({ get, set(value) { set.call(this, css(value)); } }));
  for (const name of ["background", "backgroundImage", "listStyleImage", "borderImage", "maskImage", "content", "cursor"]) {
    const own = Object.getOwnPropertyDescriptor(CSSStyleDeclaration.prototype, name);
    if (own && own.set) replace(CSSStyleDeclaration.prototype, name, ({ set }) => ({ set(value) { set.call(this, css(value)); } }));
    else define(CSSStyleDeclaration.prototype, name, function () { return this.getPropertyValue(dashed(name)); },
      function (value) { this.setProperty(dashed(name), value); });
  }
  function dashed(name) { return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`); }
  replaceMethod(CSSStyleSheet.prototype, "insertRule", (old) => function (rule, ...more) {
    return old.call(this, css(rule), ...more);
  });
  if (window.FontFace) {
    const OldFontFace = window.FontFace;
    window.FontFace = class FontFace extends OldFontFace {
      constructor(family, source, ...more) { super(family, typeof source === "string" ? css(source) : source, ...more); }
    };
  }

  // ---- what a page knows of itself

  for (const name of ["URL", "documentURI"]) define(document, name, () => pageUrl);
  define(document, "baseURI", () => base);
  define(document, "referrer", () => "");
  define(document, "domain", () => new URL(pageUrl).hostname, () => {});
  const cookies = new Map();
  define(document, "cookie",
    () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
    (text) => {
      const [pair, ...attributes] = String(text).split(";");
      const at = pair.indexOf("=");
      const name = pair.slice(0, Math.max(at, 0)).trim();
      if (attributes.some((each) => /^\s*(max-age=(0|-)|expires=.*\b(19|200)\d\d?)/i.test(each))) cookies.delete(name);
      else cookies.set(name, pair.slice(at + 1).trim());
    });
  const storage = () => {
    const kept = new Map();
    const methods = {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => { kept.set(String(key), String(value)); },
      removeItem: (key) => { kept.delete(String(key)); },
      clear: () => kept.clear(),
      key: (index) => [...kept.keys()][index] ?? null,
    };
    return new Proxy(methods, {
      get: (_, key) => key === "length" ? kept.size : key in methods ? methods[key] : kept.get(String(key)),
      set: (_, key, value) => { kept.set(String(key), String(value)); return true; },
      deleteProperty: (_, key) => { kept.delete(String(key)); return true; },
      has: (_, key) => kept.has(String(key)),
      ownKeys: () => [...kept.keys()],
      getOwnPropertyDescriptor: (_, key) => kept.has(String(key))
        ? { configurable: true, enumerable: true, value: kept.get(String(key)) } : undefined,
    });
  };
  for (const name of ["localStorage", "sessionStorage"]) {
    const kept = storage();
    define(window, name, () => kept);
  }
  for (const name of ["pushState", "replaceState"]) {
    replaceMethod(History.prototype, name, (old) => function (state, title, address) {
      if (address !== undefined && address !== null) {
        try { base = new URL(address, base).href; } catch { return undefined; }
      }
      try { return old.call(this, state, title); } catch { return undefined; }
    });
  }

  // ---- time and chance

  const captured = /^\d{14}$/.test(time)
    ? Date.UTC(+time.slice(0, 4), +time.slice(4, 6) - 1, +time.slice(6, 8), +time.slice(8, 10), +time.slice(10, 12), +time.slice(12))
    : Date.now();
  const LiveDate = Date;
  const offset = captured - LiveDate.now();
  window.Date = new Proxy(LiveDate, {
    construct: (target, given, self) =>
      Reflect.construct(target, given.length ? given : [LiveDate.now() + offset], self === window.Date ? target : self),
    apply: (target) => new target(LiveDate.now() + offset).toString(),
    get: (target, name) => name === "now" ? () => LiveDate.now() + offset : Reflect.get(target, name),
  });
  LiveDate.prototype.constructor = window.Date;
  let seed = captured % 2147483647 || 1;
  Math.random = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // Park and Miller's minimal standard
})();
