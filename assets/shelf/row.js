// One session as a row, and the form under it that changes what people said of it.

const ACTS = { '[data-do=tick]': 'Choose {name}', '.pin': 'Pin {name}', '[data-do=edit]': 'Edit title, tags and notes of {name}', '.again':
  'Duplicate the settings into Explore of {name}', '[data-do=link]': 'Copy the link to {name}', '[data-do=drop]': 'Delete {name}', '[data-do=revive]': 'Restore {name}' };

function drawRow(session) {
  const row = copy('row');
  const at = (name) => row.querySelector(name);
  const name = session.title || session.problem || tr('(no problem)');
  row.dataset.id = session.id;
  row.classList.toggle('pinned', session.pinned);
  put(at('.open'), name).href = openLink(session.id);
  put(at('.under'), session.title ? session.problem : '');
  put(at('.ran'), [session.strategy.replaceAll('_', ' '), session.settings, session.place].filter(Boolean).join(' · '));
  for (const tag of session.tags) at('.tags').append(drawTag(tag));
  put(at('.notes'), session.notes);
  put(at('.policy'), session.policy || '–');
  put(at('.verifier'), session.verifier ? tr('by {verifier}', session) : tr('no verifier'));
  const [sign, word] = session.answer === null ? ['–', 'no answer'] : GRADES.get(session.correct);
  const grade = at('.grade');
  grade.dataset.grade = session.answer === null ? 'none' : String(session.correct);
  put(grade, `${sign} ${tr(word)}`);
  put(at('.answer .text'), session.answer);
  put(at('.flops'), `${short(session.flops)}FLOPs`);
  put(at('.tokens'), `${many(session.tokens, 'token')}, ${many(session.nodes, 'node')}`);
  put(at('.date'), clock(session.created));
  put(at('.state'), [tr(STATES[session.state] ?? session.state), session.origin === 'import' ? tr('imported') : ''].filter(Boolean).join(', '));
  at('.state').dataset.state = session.state;
  at('.again').href = page('', session.again);
  at('.pin').setAttribute('aria-pressed', session.pinned);
  for (const place in ACTS) at(place).setAttribute('aria-label', tr(ACTS[place], { name: name.slice(0, 80) }));
  at('.pin').title = session.pinned ? tr('Pinned: stays first') : tr('Pin: keep it first');
  const deleted = session.deleted !== null;
  for (const place of ['[data-do=edit]', '.again', '[data-do=link]', '[data-do=drop]', '.pin']) show(at(place), !deleted);
  show(at('[data-do=revive]'), deleted);
  return row;
}

function drawTag(tag) {
  const button = put(document.createElement('button'), tag);
  Object.assign(button, { type: 'button', className: 'tag', title: tr('Sessions tagged {tag}', { tag }) });
  button.dataset.do = 'tag';
  return button;
}

function openEditor(row, session) {
  closeEditor(row.parentElement);
  const editor = copy('editor');
  const form = editor.querySelector('form');
  form.elements.title.value = session.title;
  form.elements.tags.value = session.tags.join(', ');
  form.elements.notes.value = session.notes;
  editor.dataset.id = session.id;
  row.after(editor);
  form.elements.title.focus();
}

function closeEditor(body) {
  const editor = body.querySelector('tr.editing');
  const row = editor?.previousElementSibling;
  editor?.remove();
  row?.querySelector('[data-do=edit]')?.focus();
}

const readEditor = (form) => ({ title: form.elements.title.value, notes: form.elements.notes.value,
  tags: form.elements.tags.value.split(',').map((tag) => tag.trim()).filter(Boolean) });
