/** What every page does: search, theme, menu, copying. Without it all of the text is there all the same. */
import { SearchBox } from "./search_box";
import { choose, chosenTheme, themes } from "./themes";

const names = { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" } as const;

function themeButton(button: HTMLButtonElement): void {
  const label = () => {
    button.ariaLabel = names[chosenTheme()];
    button.title = names[chosenTheme()];
  };
  label();
  button.addEventListener("click", () => {
    choose(themes[(themes.indexOf(chosenTheme()) + 1) % themes.length] ?? "system");
    label();
  });
}

function menuButton(button: HTMLButtonElement): void {
  button.addEventListener("click", () => {
    const open = document.body.classList.toggle("menu-open");
    button.ariaExpanded = String(open);
  });
}

function copyButton(figure: Element): void {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(figure.querySelector("pre")?.textContent ?? "");
      button.textContent = "Copied";
    } catch {
      // No clipboard without a secure origin or leave.
      button.textContent = "Select it";
    }
    setTimeout(() => {
      button.textContent = "Copy";
    }, 1500);
  });
  figure.querySelector("figcaption")?.append(button);
}

const search = document.querySelector<HTMLInputElement>("#search");
const list = document.querySelector<HTMLElement>("#found");
const source = document.querySelector<HTMLScriptElement>("script[data-search]")?.dataset.search;
if (search && list && source) new SearchBox(search, list, source);
const theme = document.querySelector<HTMLButtonElement>("button.theme");
if (theme) themeButton(theme);
const menu = document.querySelector<HTMLButtonElement>("button.menu");
if (menu) menuButton(menu);
for (const figure of document.querySelectorAll("figure.code")) copyButton(figure);
document.querySelector("#ways [aria-current]")?.scrollIntoView({ block: "nearest" });
