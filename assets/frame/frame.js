// What every page has around its content: its heading, the reader's language, and a word when the server is gone.
// The value is JSON: {title, lead, language}; `language` comes translated, so it is the code of the language that is shown.

const EVERY = 10000;                             // ms between two looks whether the server is there
const part = (name) => element.querySelector(name);
const given = () => { try { return JSON.parse(props.value || '{}'); } catch { return {}; } };

function speak() {
  const { title, lead, language } = given();
  window.pageLanguage = language;
  document.documentElement.lang = languageNow();
  part('h1').textContent = tr(title ?? '');
  part('.lead').textContent = tr(lead ?? '');
  for (const link of document.querySelectorAll('.nav-holder a')) {
    link.dataset.english ??= link.textContent.trim();
    link.textContent = tr(link.dataset.english);
  }
  document.title = title && title !== 'TTS Explorer' ? `${tr(title)} · TTS Explorer` : 'TTS Explorer';
  document.dispatchEvent(new CustomEvent('page:language'));
}

let run = null;                                  // the number of the run of the server, once it has told
let lost = false;

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
  setTimeout(look, document.hidden ? 6 * EVERY : EVERY);
}

part('.again').addEventListener('click', () => location.reload());
addEventListener('offline', look);
watch('value', speak);
speak();
setTimeout(look, EVERY);
