/** The search in the head of each page: `/` leads to it, arrows choose, Enter opens, Escape leaves. */
import type { Found, Index } from "./search";

interface SearchModule {
  readonly index: Index;
}

export class SearchBox {
  #index: Promise<Index> | null = null;
  #chosen = -1;

  /** @param source path of the module that has the index */
  constructor(
    private readonly input: HTMLInputElement,
    private readonly list: HTMLElement,
    private readonly source: string,
  ) {
    input.addEventListener("focus", () => void this.#load().catch(() => this.#failed()));
    input.addEventListener("input", () => void this.#look().catch(() => this.#failed()));
    input.addEventListener("keydown", (event) => this.#key(event));
    // Later than the click on what was found.
    input.addEventListener("blur", () => setTimeout(() => this.#close(), 150));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
      event.preventDefault();
      input.focus();
      input.select();
    });
  }

  #load(): Promise<Index> {
    this.#index ??= import(this.source).then((module: SearchModule) => module.index);
    return this.#index;
  }

  /** The next try asks anew. */
  #failed(): void {
    this.#index = null;
    this.list.replaceChildren(message("The search could not be loaded."));
    this.#open(true);
  }

  async #look(): Promise<void> {
    const text = this.input.value.trim();
    const index = await this.#load();
    if (text !== this.input.value.trim()) return;
    const found = text === "" ? [] : index.find(text);
    this.list.replaceChildren(
      ...(found.length === 0 && text !== "" ? [message("Nothing is called so.")] : found.map(option)),
    );
    this.#open(text !== "");
    this.#choose(found.length > 0 ? 0 : -1);
  }

  #key(event: KeyboardEvent): void {
    const options = this.#options();
    if (event.key === "ArrowDown" && options.length > 0) this.#choose((this.#chosen + 1) % options.length);
    else if (event.key === "ArrowUp" && options.length > 0)
      this.#choose((this.#chosen - 1 + options.length) % options.length);
    else if (event.key === "Enter") options[this.#chosen]?.click();
    else if (event.key === "Escape") {
      if (this.input.value === "") this.input.blur();
      this.input.value = "";
      this.#close();
    } else return;
    event.preventDefault();
  }

  #options(): HTMLAnchorElement[] {
    return [...this.list.querySelectorAll("a")];
  }

  #choose(index: number): void {
    this.#chosen = index;
    this.#options().forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) option.scrollIntoView({ block: "nearest" });
    });
    const id = this.#options()[index]?.id;
    if (id === undefined) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", id);
  }

  #open(open: boolean): void {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
  }

  #close(): void {
    this.#open(false);
    this.#choose(-1);
  }
}

function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

function option({ href, title, about, kind }: Found, index: number): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = href;
  link.id = `found-${index}`;
  link.role = "option";
  link.tabIndex = -1;
  const [name, what, where] = ["b", "span", "small"].map((tag) => document.createElement(tag));
  if (name) name.textContent = title;
  if (what) what.textContent = about;
  if (where) where.textContent = kind;
  link.append(...[name, where, what].filter((part) => part !== undefined));
  return link;
}

function message(text: string): HTMLElement {
  const line = document.createElement("p");
  line.textContent = text;
  return line;
}
