/** The list of events beside the forms, the newest first. */
import type { Cause } from "./causes";
import type { StreamedEvent } from "./stream";

/** Older ones go. */
const most = 200;

interface Shown {
  readonly event: StreamedEvent;
  readonly item: HTMLLIElement;
}

export class EventList {
  #shown: Shown[] = [];
  #cause: Cause | null = null;

  constructor(private readonly list: HTMLElement) {}

  /** From now on these are marked, those that came before not any more. */
  watch(cause: Cause): void {
    this.#cause = cause;
    this.#mark();
  }

  add(event: StreamedEvent): void {
    const item = entry(event);
    this.list.prepend(item);
    this.#shown.push({ event, item });
    for (const { item: old } of this.#shown.splice(0, Math.max(0, this.#shown.length - most))) old.remove();
    this.#mark();
  }

  clear(): void {
    this.#shown = [];
    this.list.replaceChildren();
  }

  /** All of them anew: the answer, or a result, may say later what an earlier one belonged to. */
  #mark(): void {
    const cause = this.#cause;
    if (!cause) return;
    for (const { event } of this.#shown) cause.learn(event);
    for (const { event, item } of this.#shown) {
      const caused = cause.has(event);
      item.classList.toggle("caused", caused);
      const badge = item.querySelector<HTMLElement>(".badge");
      if (badge) badge.hidden = !caused;
    }
  }

  /** What the answer has told changes what is marked. */
  refresh(): void {
    this.#mark();
  }
}

function entry(event: StreamedEvent): HTMLLIElement {
  const item = document.createElement("li");
  item.dataset.event = event.event;
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const [time, name, number, badge] = ["time", "b", "small", "em"].map((tag) => document.createElement(tag));
  if (!time || !name || !number || !badge) return item;
  time.textContent = event.timestamp.slice(11, 23);
  name.textContent = event.event;
  number.textContent = `#${event.sequence}`;
  badge.textContent = "yours";
  badge.className = "badge";
  badge.hidden = true;
  summary.append(time, " ", name, " ", number, " ", badge);
  const what = document.createElement("p");
  what.textContent = told(event.data);
  const pre = document.createElement("pre");
  pre.textContent = JSON.stringify(event, null, 2);
  const link = document.createElement("a");
  link.href = `/docs/events/${event.event}`;
  link.textContent = "its page";
  details.append(summary, pre, link);
  item.append(details, what);
  return item;
}

/** `command=answer success=true` */
function told(data: StreamedEvent["data"]): string {
  const shown = Object.entries(data).filter(([name]) => !["command_uid", "operation_id", "file_path"].includes(name));
  return shown
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("  ");
}
