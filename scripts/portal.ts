/**
 * The documentation: the contract, the guides and the browser's part of it → dist/portal, which the gateway serves at
 * /docs. `npm run compile` ends with it. Run from anywhere: the compiled file lies in dist/scripts.
 */
import path from "node:path";
import MiniSearch from "minisearch";
import { indexOptions } from "../src/portal/index_options";
import { type File, icon, script, searchScript, style } from "./portal/assets";
import { Book } from "./portal/book";
import { changelogPage } from "./portal/changelog";
import { Errors } from "./portal/errors";
import { Events } from "./portal/events";
import { guidePages, readGuides } from "./portal/guides";
import { plain } from "./portal/html";
import { type Assets, Layout } from "./portal/layout";
import { Links } from "./portal/links";
import { fieldPlaces, fieldsPage, homePage, tryPage } from "./portal/lists";
import { Markdown } from "./portal/markdown";
import { Reference } from "./portal/operations";
import type { Page } from "./portal/page";
import { write } from "./portal/write";

const root = path.join(__dirname, "../..");

function allPages(): { readonly book: Book; readonly pages: Page[]; readonly guides: ReturnType<typeof readGuides> } {
  const book = new Book(root);
  const places = fieldPlaces(book);
  const links = new Links(book, places.keys());
  const markdown = new Markdown(root, links, (file) => console.error(`portal: ${file} is not there yet`));
  const guides = readGuides(path.join(root, "src/portal/guides"));
  const pages = [
    homePage(book, markdown, guides),
    tryPage(book),
    ...guidePages(guides, book, links, markdown),
    ...new Reference(book, links, markdown).pages(),
    ...new Errors(book, links, markdown).pages(),
    ...new Events(book, links, markdown).pages(),
    fieldsPage(places),
    changelogPage(root, links),
  ];
  return { book, pages, guides };
}

/** The longest text of a page that is searched. */
const longest = 6000;

function searchIndex(pages: readonly Page[]): string {
  const index = new MiniSearch(indexOptions);
  index.addAll(
    pages.map(({ path: id, title, about, kind, names = [], body }) => ({
      id,
      kind,
      title,
      about,
      names: names.join(" "),
      // Lists repeat what the pages that they lead to say.
      text: kind === "list" ? "" : plain(body).slice(0, longest),
    })),
  );
  return JSON.stringify(index);
}

async function main(folder: string): Promise<void> {
  const { book, pages, guides } = allPages();
  const [sheet, theme, page, console, search] = await Promise.all([
    style(root),
    script(root, "theme", "iife"),
    script(root, "page"),
    script(root, "console"),
    searchScript(root, searchIndex(pages)),
  ]);
  const image = icon(root);
  const at = ({ path: name }: File) => `/docs${name}`;
  const assets: Assets = {
    style: at(sheet),
    theme: at(theme),
    page: at(page),
    console: at(console),
    search: at(search),
    icon: at(image),
  };
  const layout = new Layout(book, guides, assets);
  const files = pages.map((one) => ({
    path: one.path,
    type: "text/html; charset=utf-8",
    text: layout.whole(one),
  }));
  await write(folder, [...files, sheet, theme, page, console, search, image]);
}

main(path.join(__dirname, "../portal")).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
