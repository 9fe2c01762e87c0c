// Asks the server for pages of sessions and draws them; clicks become wishes. `element` and `server` are given by the page.

const body = part('tbody');
const chosen = new Map();                        // id -> whether it is deleted; kept across pages
const state = { page: 1, pages: 1, total: 0, rows: new Map(), asked: 0, undo: null };
const LARGEST = 16 * 2 ** 20;

// The server's answer, or null after its complaint was shown.
async function ask(name, wish) {
  let told;
  try {
    told = await server[name](wish);
  } catch {
    told = null;
  }
  const problem = told === null || typeof told !== 'object' ? tr('The server does not answer: is it still running? Try again.') : told.error;
  put(show(part('.problem'), Boolean(problem)), problem);
  return problem ? null : told;
}

async function look(number = state.page) {
  const asked = (state.asked += 1);
  element.firstElementChild.setAttribute('aria-busy', 'true');
  writeAddress(number);
  const told = await ask('find', { ...wanted(), page: number });
  if (asked !== state.asked) return;             // somebody asked for something else meanwhile
  element.firstElementChild.removeAttribute('aria-busy');
  if (told) draw(told);
  else put(part('.found'), '');
  element.firstElementChild.dataset.asked = String(asked);
}

function draw(told) {
  Object.assign(state, { page: told.page, pages: told.pages, total: told.total });
  state.rows = new Map(told.rows.map((session) => [session.id, session]));
  takeChoices(told.choices);
  writeAddress(told.page);
  body.replaceChildren(...told.rows.map(drawRow));
  for (const session of told.rows) if (chosen.has(session.id)) chosen.set(session.id, session.deleted !== null);
  const filters = filtering();
  const asked = filters > 0 || field('words').value.trim() !== '';
  put(part('.found'), asked ? tr('{sessions} found', { sessions: many(told.total, 'session') }) : many(told.total, 'session'));
  part('.filters [data-do=clear]').disabled = filters === 0;
  put(part('.bar .count'), filters ? ` ${filters}` : '');
  show(part('table'), told.total > 0);
  const nothing = asked ? tr('No session is like that. Try fewer words, whole ones, or clear the filters.')
    : tr('No session yet. Every search is kept: start one on the Explore page, or import a file.');
  put(show(part('.nothing'), told.total === 0), nothing);
  show(part('.pages'), told.pages > 1);
  put(part('.place'), tr('page {page} of {pages}', { page: told.page.toLocaleString(languageNow()), pages: told.pages.toLocaleString(languageNow()) }));
  for (const name of ['first', 'back']) part(`.pages [data-do=${name}]`).disabled = told.page <= 1;
  for (const name of ['next', 'last']) part(`.pages [data-do=${name}]`).disabled = told.page >= told.pages;
  drawChosen();
}

function drawChosen() {
  const gone = [...chosen.values()].filter(Boolean).length;
  put(part('.chosen'), chosen.size ? tr('{n} chosen', { n: chosen.size }) : tr('none chosen'));
  part('.bulk').classList.toggle('some', chosen.size > 0);
  const compare = part('[data-do=compare]');
  const fits = chosen.size >= 2 && chosen.size <= 4;
  compare.setAttribute('aria-disabled', !fits);
  compare.title = fits ? tr('Side by side') : tr('Choose two to four sessions');
  for (const name of ['export', 'delete', 'none']) part(`.bulk [data-do=${name}]`).disabled = chosen.size === 0;
  show(part('.bulk [data-do=restore]'), gone > 0);
  show(part('.bulk [data-do=delete]'), gone < chosen.size || chosen.size === 0);
  const boxes = every('tbody [data-do=tick]');
  for (const box of boxes) {
    const row = box.closest('tr');
    box.checked = chosen.has(row.dataset.id);
    row.classList.toggle('ticked', box.checked);
  }
  const all = part('.every');
  all.checked = boxes.length > 0 && boxes.every((box) => box.checked);
  all.indeterminate = !all.checked && boxes.some((box) => box.checked);
}

function tick(id, ticked) {
  if (ticked) chosen.set(id, state.rows.get(id)?.deleted !== null);
  else chosen.delete(id);
  drawChosen();
}

function say(words, undo = null) {
  state.undo = undo;
  show(part('.toast [data-do=undo]'), undo !== null);
  show(part('.toast'), true);
  put(part('.toast .said'), words);
}

async function remove(ids) {
  if (!ids.length || !(await ask('remove', ids))) return;
  for (const id of ids) chosen.delete(id);
  say(tr('{sessions} deleted, to be had back for a day under State: deleted.', { sessions: many(ids.length, 'session') }), () => restore(ids));
  await look();
}

async function restore(ids) {
  if (!ids.length || !(await ask('restore', ids))) return;
  for (const id of ids) chosen.delete(id);
  say(tr('{sessions} restored.', { sessions: many(ids.length, 'session') }));
  await look();
}

async function exportChosen() {
  const told = await ask('lines', [...chosen.keys()]);
  if (!told) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([told.lines], { type: 'application/x-ndjson' }));
  link.download = told.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(tr('{sessions} exported as {name}.', { sessions: many(chosen.size, 'session'), name: told.name }));
}

async function importFile(file) {
  if (file.size > LARGEST) {
    put(show(part('.problem'), true), tr('{name} has {size} MB: at most {most} MB can be imported', { name: file.name, size: (file.size / 2 ** 20).toFixed(1), most: LARGEST / 2 ** 20 }));
    return;
  }
  say(tr('Reading {name}…', { name: file.name }));
  const told = await ask('take', { name: file.name, lines: await file.text() });
  if (!told) {
    show(part('.toast'), false);
    return;
  }
  field('words').value = '';
  clearFilters();
  order.value = 'newest';
  await look(1);
  say(tr('{sessions} imported from {name}.', { sessions: many(told.ids.length, 'session'), name: file.name }), () => remove(told.ids));
}

async function copyLink(id) {
  const link = new URL(openLink(id), location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    say(tr('The link is copied.'));
  } catch {
    say(link);
  }
}

function compareChosen() {
  if (chosen.size < 2 || chosen.size > 4) return say(tr('Choose two to four sessions to compare.'));
  const asked = new URLSearchParams([...chosen.keys()].map((id, i) => ['abcd'[i], id]));
  location.assign(page('compare', asked));
}

const sessionAt = (target) => state.rows.get(target.closest('tr')?.dataset.id);
const actions = {
  filters: () => openFilters(part('.filters').hidden),
  clear: () => { clearFilters(); look(1); },
  refresh: () => look(),
  import: () => part('.file').click(),
  compare: compareChosen,
  export: exportChosen,
  delete: () => remove([...chosen].filter(([, deleted]) => !deleted).map(([id]) => id)),
  restore: () => restore([...chosen].filter(([, deleted]) => deleted).map(([id]) => id)),
  none: () => { chosen.clear(); drawChosen(); },
  undo: () => state.undo?.(),
  dismiss: () => show(part('.toast'), false),
  first: () => look(1),
  back: () => look(state.page - 1),
  next: () => look(state.page + 1),
  last: () => look(state.pages),
  pin: async (target) => {
    const { id, pinned } = sessionAt(target);
    if (await ask('pin', { id, pinned: !pinned })) await look();
    body.querySelector(`[data-id="${CSS.escape(id)}"] .pin`)?.focus();
  },
  edit: (target) => openEditor(target.closest('tr'), sessionAt(target)),
  cancel: () => closeEditor(body),
  link: (target) => copyLink(sessionAt(target).id),
  drop: (target) => remove([sessionAt(target).id]),
  revive: (target) => restore([sessionAt(target).id]),
  tag: (target) => {
    offer('tag', target.textContent);
    field('tag').value = target.textContent;
    openFilters(true);
    look(1);
  },
};

function openFilters(open) {
  show(part('.filters'), open);
  part('[data-do=filters]').setAttribute('aria-expanded', open);
}

element.addEventListener('click', (event) => {
  const target = event.target.closest('button[data-do]');
  if (target && !target.disabled) actions[target.dataset.do]?.(target);
});

element.addEventListener('change', (event) => {
  const { target } = event;
  if (target.matches('[data-do=tick]')) tick(target.closest('tr').dataset.id, target.checked);
  else if (target.matches('.every')) {
    const { checked } = target;
    for (const id of state.rows.keys()) tick(id, checked);
  } else if (target.matches('.file')) {
    if (target.files.length) importFile(target.files[0]);
    target.value = '';
  } else if (target === order || target.closest('.filters')) look(1);
});

let typing = 0;
field('words').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => look(1), 250);
});

element.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (event.target === form) return look(1);
  const editor = event.target.closest('tr');
  const saved = await server.label({ id: editor.dataset.id, ...readEditor(event.target) }).catch(() => ({ error: tr('The server does not answer: is it still running? Try again.') }));
  if (saved?.error) return put(editor.querySelector('.wrong'), saved.error);
  closeEditor(body);
  await look();
  body.querySelector(`[data-id="${CSS.escape(editor.dataset.id)}"] [data-do=edit]`)?.focus();
});

element.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && event.target.closest('tr.editing')) closeEditor(body);
});

whenLanguageChanges(() => look());
addEventListener('pageshow', (event) => { if (event.persisted) look(); });

state.page = readAddress();
openFilters(filtering() > 0 || innerWidth >= 1000);
look(state.page);
