import { closeBrackets, completionKeymap, acceptCompletion } from "@codemirror/autocomplete";
import { sql, StandardSQL, SQLDialect } from "@codemirror/lang-sql";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";

const duckdb = SQLDialect.define({
  ...StandardSQL.spec,
  keywords: `${StandardSQL.spec.keywords ?? ""} select from where group by order having limit offset join left full on using as with
case when then else end distinct and or not in like ilike is null between union all asc desc over partition qualify
filter exclude replace describe summarize explain show tables unnest lateral pivot unpivot sample`,
  builtin: "count sum avg min max median mode quantile_cont round any_value list string_agg length lower contains date_trunc",
  doubleDollarQuotedStrings: true,
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: tags.number, color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.standard(tags.name), tags.function(tags.name)], color: "var(--code-builtin)" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mono)", caretColor: "var(--text)", padding: "0.6rem 0", minHeight: "7.5rem" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--hover)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-fault": { textDecoration: "underline wavy var(--danger)", textUnderlineOffset: "3px" },
  ".cm-matchingBracket": { backgroundColor: "var(--selection) !important" },
});

const setFault = StateEffect.define();
const faults = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    for (const effect of change.effects) if (effect.is(setFault)) return effect.value;
    return change.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const area = document.querySelector("textarea[data-editor]");
if (area) start(area);

function start(area) {
  const form = area.form;
  const run = () => (form.requestSubmit(), true);
  const view = new EditorView({
    doc: area.value,
    extensions: [
      EditorView.cspNonce.of(document.currentScript?.nonce || document.querySelector('meta[name="nonce"]').content),
      Prec.highest(keymap.of([
        { key: "Mod-Enter", run },
        { key: "Tab", run: acceptCompletion },
        { key: "Escape", run: (editor) => leave(editor) },
      ])),
      basicSetup,
      closeBrackets(),
      keymap.of(completionKeymap),
      sql({ dialect: duckdb, schema: JSON.parse(area.dataset.editor), upperCaseKeywords: false }),
      syntaxHighlighting(colours),
      look,
      faults,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": "SQL", spellcheck: "false" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) area.value = update.state.doc.toString();
      }),
    ],
  });
  area.before(view.dom);
  area.hidden = true;
  view.dom.classList.add("editor");
  document.addEventListener("htmx:after:swap", () => markFault(view));
  markFault(view);
  if (!area.value) view.focus();
}

// Completion takes the tab key only while its list is open; Escape and Tab leave the editor.
function leave(editor) {
  if (document.querySelector(".cm-tooltip-autocomplete")) return false;
  editor.contentDOM.blur();
  return true;
}

function markFault(view) {
  const fault = document.querySelector("[data-fault]");
  let marks = Decoration.none;
  if (fault) {
    const length = view.state.doc.length;
    const from = Math.min(Number(fault.dataset.fault), Math.max(0, length - 1));
    const word = /^[\w."]+/.exec(view.state.sliceDoc(from, from + 200));
    const to = Math.min(length, from + (word ? word[0].length : 1));
    if (to > from) marks = Decoration.set([Decoration.mark({ class: "cm-fault" }).range(from, to)]);
  }
  view.dispatch({ effects: setFault.of(marks) });
}
