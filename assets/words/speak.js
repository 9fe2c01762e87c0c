// The page's own words in the reader's language: English is written where it is used, and is the key of what other languages say.
// What people and models wrote never passes through here, nor does anything that is missing in a dictionary change.

const { tr, trMany, trPlural, languageNow, whenLanguageChanges, translate } = (() => {
  const LANGUAGES = ['en', 'it', 'pt', 'pl'];
  const ATTRIBUTES = ['aria-label', 'title', 'placeholder'];
  const languageNow = () => {
    const named = String(window.pageLanguage ?? navigator.language ?? 'en').slice(0, 2);
    return LANGUAGES.includes(named) ? named : 'en';
  };
  const said = (english) => window.gradio_config?.i18n_translations?.[languageNow()]?.[english];
  const filled = (words, values) => words.replace(/\{(\w+)\}/g, (all, name) => String(values?.[name] ?? all));

  // "Delete {name}" with {name: …}: the sentence is translated, what is put into it is not.
  function tr(english, values) {
    const words = said(english);
    return filled(typeof words === 'string' ? words : english, values);
  }

  // A sentence that counts: English says it of one thing, then of several, where that differs; by the latter a dictionary has as
  // many forms of it as its language needs. {n} is the count.
  const rules = {};                              // language -> which form which number takes
  function trPlural(count, one, more = one, values = {}) {
    const language = languageNow();
    const forms = said(more);
    rules[language] ??= new Intl.PluralRules(language);
    const form = forms?.[rules[language].select(count)] ?? forms?.other ?? (count === 1 ? one : more);
    return filled(form, { ...values, n: count.toLocaleString(language) });
  }

  // A number of things: 'session' is said as '1 session', '2 sessions'.
  const trMany = (count, thing, things = `${thing}s`) => trPlural(count, `{n} ${thing}`, `{n} ${things}`);

  const written = [];                            // [what to write, its English]
  function remember(node) {
    if (node.nodeType === Node.TEXT_NODE) {
      const english = node.data.replace(/\s+/g, ' ').trim();
      const [before] = node.data.match(/^\s*/);
      const [after] = node.data.match(/\s*$/);
      if (/\p{L}/u.test(english)) written.push([(words) => { node.data = before + words + after; }, english]);
      return;
    }
    for (const name of node.getAttributeNames?.() ?? []) {
      if (ATTRIBUTES.includes(name)) written.push([(words) => node.setAttribute(name, words), node.getAttribute(name)]);
    }
    for (const child of (node.localName === 'template' ? node.content : node).childNodes) remember(child);
  }
  const write = () => { for (const [put, english] of written) put(tr(english)); };

  // Markup that is ours alone: called once, before anything else is written into it.
  function translate(root) {
    remember(root);
    if (languageNow() !== 'en') write();
  }

  const whenLanguageChanges = (then) => document.addEventListener('page:language', () => { if (element.isConnected) then(); });
  whenLanguageChanges(write);
  return { tr, trMany, trPlural, languageNow, whenLanguageChanges, translate };
})();
translate(element);
