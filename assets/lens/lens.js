// Asks the server for what verifiers misjudged, by task and verifier, and draws it; what is asked for stands in the address too.

const part = (name) => element.querySelector(name);
const root = part('.lens');
const fields = ['task', 'verifier'];
const NEAREST = 3;                               // answers that are shown where none was misjudged
const field = (name) => part(`select[name=${name}]`);
const put = (node, text) => { node.textContent = text ?? ''; return node; };
const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const home = () => location.pathname.replace(/[^/]*\/?$/, '');
let asked = 0;
let told = null;

const wanted = () => Object.fromEntries(fields.map((name) => [name, field(name).value]));

// A choice that there is no more stays visible, so that what is asked for can be seen.
function offer(name, value) {
  if (value && ![...field(name).options].some((option) => option.value === value)) field(name).append(new Option(value, value));
}

function takeChoices(choices) {
  for (const name of fields) {
    const { value } = field(name);
    field(name).replaceChildren(field(name).options[0], ...choices[name].map((choice) => new Option(choice, choice)));
    offer(name, value);
    field(name).value = value;
  }
}

function writeAddress() {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(wanted())) value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
  if (url.href !== location.href) history.replaceState(history.state, '', url);
}

function drawRow(one) {
  const row = part('template.row').content.firstElementChild.cloneNode(true);
  const at = (name) => row.querySelector(name);
  at('a').href = `${home()}?${new URLSearchParams({ session: one.session, node: one.node })}`;
  put(at('.score'), one.score.toFixed(3));
  put(at('.answer'), clip(one.answer, 80));
  put(at('.truth'), [one.truth && one.truth !== one.answer ? tr('the known answer: {truth}', { truth: clip(one.truth, 80) }) : '',
    one.times > 1 ? `×${one.times}` : ''].filter(Boolean).join(' · '));
  put(at('.problem-text'), one.problem);
  put(at('.from'), [one.strategy.replaceAll('_', ' '), one.verifier, one.task].filter(Boolean).join(' · '));
  return row;
}

function draw() {
  takeChoices(told.choices);
  for (const side of ['wrong', 'right']) {
    const misjudged = told[side].filter(({ score }) => (side === 'wrong' ? score >= 0.5 : score < 0.5));
    part(`.${side} ol`).replaceChildren(...(misjudged.length ? misjudged : told[side].slice(0, NEAREST)).map(drawRow));
    part(`.${side} .nearest`).hidden = misjudged.length > 0 || told[side].length === 0;
    part(`.${side} .nothing`).hidden = told[side].length > 0;
  }
  part('.note').hidden = !told.recorded;
  part('.more').hidden = told.unread === 0;
  put(part('.state'), told.unread ? tr('{left} not read yet', { left: trMany(told.unread, 'older session') }) : '');
}

async function look() {
  const mine = (asked += 1);
  root.setAttribute('aria-busy', 'true');
  writeAddress();
  let found;
  try {
    found = await server.look(wanted());
  } catch {
    found = { error: tr('The server does not answer: is it still running? Try again.') };
  }
  if (mine !== asked) return;                    // somebody asked for something else meanwhile
  root.removeAttribute('aria-busy');
  part('.problem').hidden = !found.error;
  put(part('.problem'), found.error);
  if (found.error) return put(part('.state'), '');
  told = found;
  draw();
  trigger('looked', wanted());
  root.dataset.asked = String(mine);
}

element.addEventListener('change', look);
part('.more').addEventListener('click', look);
part('form').addEventListener('submit', (event) => event.preventDefault());
whenLanguageChanges(() => { if (told) { draw(); trigger('looked', wanted()); } });
for (const name of fields) {
  const value = new URLSearchParams(location.search).get(name) ?? '';
  offer(name, value);
  field(name).value = value;
}
look();
