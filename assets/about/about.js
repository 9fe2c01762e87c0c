// Fills in what only the server knows: the value is JSON, {models: [{name, what, facts, limits}], families,
// strategies: [{title, what, about}], place, version}.

const part = (name) => element.querySelector(name);
const home = () => location.pathname.replace(/[^/]*\/?$/, '');

function drawModel({ name, what, facts, limits }) {
  const row = part('template.model').content.firstElementChild.cloneNode(true);
  row.querySelector('h3').textContent = name;
  row.querySelector('.what').textContent = what;
  for (const [fact, value] of facts) {
    const term = document.createElement('dt');
    const told = document.createElement('dd');
    term.textContent = tr(fact);
    told.textContent = value;
    row.querySelector('dl').append(term, told);
  }
  row.querySelector('.limits').textContent = limits;
  return row;
}

function drawStrategy({ title, what, about }) {
  const row = part('template.strategy').content.firstElementChild.cloneNode(true);
  row.querySelector('b').textContent = title;
  row.querySelector('.what').textContent = tr(what);
  row.querySelector('div').append(...about.map((said) => {
    const paragraph = document.createElement('p');
    paragraph.textContent = said;
    return paragraph;
  }));
  return row;
}

function draw() {
  let known = {};
  try {
    known = JSON.parse(props.value || '{}');
  } catch { /* nothing is known */ }
  const models = known.models ?? [];
  part('.models').replaceChildren(...models.map(drawModel));
  part('.about .nothing').hidden = models.length > 0;
  part('.families').replaceChildren(...(known.families ?? []).map((family) => {
    const row = document.createElement('li');
    row.textContent = tr(family);
    return row;
  }));
  part('.strategies').replaceChildren(...(known.strategies ?? []).map(drawStrategy));
  part('.place code').textContent = known.place ?? '';
  part('.place').hidden = !known.place;
  part('.hosted').hidden = Boolean(known.place);
  part('.version').textContent = tr('Version {version}', { version: known.version ?? '' });
}

for (const link of element.querySelectorAll('a[data-page]')) link.href = home() + link.dataset.page;
watch('value', draw);
whenLanguageChanges(draw);
draw();
