/** Light, dark, or as the system has it. */
const key = "voicegate.theme";
export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export function chosenTheme(): Theme {
  const stored = read();
  return themes.find((theme) => theme === stored) ?? "system";
}

function read(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // A browser that keeps nothing for this page: the choice lasts as long as the page.
    return null;
  }
}

export function choose(theme: Theme): void {
  show(theme);
  try {
    localStorage.setItem(key, theme);
  } catch {
    // As above.
  }
}

export function show(theme: Theme): void {
  const root = document.documentElement;
  root.classList.add("script");
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
}
