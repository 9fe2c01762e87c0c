// What every page has around its content: its heading, the reader's language, and a word when the server is gone.
// The value is JSON: {title, lead, language}; `language` comes translated, so it is the code of the language that is shown.

const EVERY = 15000;                             // ms between two looks whether the server is there
const part = (name) => element.querySelector(name);
const given = () => { try { return JSON.parse(props.value || '{}'); } catch { return {}; } };

// Gradio doesn't translate the names of routes: their text nodes, which stay its own, get what the dictionary says.
const named = new Map();                         // text node -> [English, what was written]
function nameRoutes() {
  for (const link of document.querySelectorAll('.nav-holder a')) {
    const text = link.firstChild;
    if (text?.nodeType !== Node.TEXT_NODE) continue;
    const english = named.get(text)?.[1] === text.data ? named.get(text)[0] : text.data;
    const words = tr(english.trim());
    named.set(text, [english, words]);
    if (text.data !== words && words !== english.trim()) text.data = words;
    else if (words === english.trim() && text.data !== english) text.data = english;
  }
}

// Gradio chooses among its own languages, and Italian is none of them; it speaks it when it is told to.
let untold = navigator.language.slice(0, 2) === 'it';
async function tellGradio() {
  if (!untold) return;
  const core = performance.getEntriesByType('resource').find(({ name }) => /\/core-[\w-]+\.js$/.test(name));
  try {
    (await import(core.name)).changeLocale('it');
    untold = false;
  } catch { /* Gradio's own labels stay English; ours don't */ }
}

function speak() {
  const { title, lead, language } = given();
  window.pageLanguage = untold ? 'it' : language;
  document.documentElement.lang = languageNow();
  part('h1').textContent = tr(title ?? '');
  part('.lead').textContent = tr(lead ?? '');
  nameRoutes();
  document.title = title && title !== 'TTS Explorer' ? `${tr(title)} · TTS Explorer` : 'TTS Explorer';
  document.dispatchEvent(new CustomEvent('page:language'));
}

let run = null;                                  // the number of the run of the server, once it has told
let lost = false;
let next = 0;                                    // the timer of the next look

function tell(words) {
  part('.lost .what').textContent = words;
  part('.lost').hidden = false;
}

async function look() {
  const root = window.gradio_config?.root ?? '';
  let told = null;
  try {
    const answer = await fetch(`${root}/gradio_api/app_id`, { cache: 'no-store', signal: AbortSignal.timeout(EVERY) });
    if (answer.ok) told = (await answer.json()).app_id;
  } catch { /* nobody there */ }
  if (!element.isConnected) return;
  if (told === null) {
    lost = true;
    tell(tr('The connection to the server is lost. A search that runs goes on; reload to attach again.'));
  } else if (run !== null && told !== run) {
    tell(tr('The server was started anew. Reload to attach again; what was recorded is kept.'));
  } else if (lost) {
    tell(tr('The server answers again. Reload to attach to a running search.'));
  }
  run ??= told;
  clearTimeout(next);
  next = setTimeout(look, document.hidden ? 6 * EVERY : EVERY);
}

part('.again').addEventListener('click', () => location.reload());
addEventListener('offline', look);
const routes = document.querySelector('.nav-holder');
if (routes) new MutationObserver(nameRoutes).observe(routes, { subtree: true, childList: true, characterData: true });
watch('value', speak);
speak();
tellGradio();
next = setTimeout(look, EVERY);
