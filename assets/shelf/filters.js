// What the visitor asks for: it lives in the form, and in the address, so that a reload, the back button and a link keep it.

const TEXTS = ['words', 'task', 'level', 'strategy', 'policy', 'verifier', 'grade', 'state', 'tag', 'from', 'to', 'since', 'until'];
const form = part('form.bar');
const order = part('[name=order]');
const field = (name) => form.elements[name];

// A choice that no stored session has any more stays visible, so that what is asked for can be seen.
function offer(name, value) {
  const select = field(name);
  if (select.tagName !== 'SELECT' || value === '' || [...select.options].some((option) => option.value === value)) return;
  select.append(new Option(value, value));
}

function readAddress() {
  const asked = new URLSearchParams(location.search);
  for (const name of TEXTS) {
    const value = asked.get(name) ?? '';
    offer(name, value);
    field(name).value = value;
  }
  order.value = asked.get('order') ?? 'newest';
  if (!order.value) order.value = 'newest';
  return Math.max(1, Number.parseInt(asked.get('page') ?? '1', 10) || 1);
}

function writeAddress(number) {
  const url = new URL(location.href);
  const set = (name, value, plain) => (value === plain ? url.searchParams.delete(name) : url.searchParams.set(name, value));
  for (const name of TEXTS) set(name, field(name).value.trim(), '');
  set('order', order.value, 'newest');
  set('page', String(number), '1');
  if (url.href !== location.href) history.replaceState(history.state, '', url);
}

// What isn't a number goes to the server as it is, which says so.
const number = (name, unit = 1) => (Number.isNaN(Number(field(name).value)) ? field(name).value : Number(field(name).value) * unit);

// As the server takes it: numbers as numbers, days as moments, megaflops as FLOPs; what is empty is left out.
function wanted() {
  const asked = { order: order.value };
  for (const name of ['words', 'task', 'strategy', 'policy', 'verifier', 'grade', 'state', 'tag']) {
    if (field(name).value.trim()) asked[name] = field(name).value.trim();
  }
  if (field('level').value) asked.level = number('level');
  if (field('from').value) asked.flops_from = number('from', 1e6);
  if (field('to').value) asked.flops_to = number('to', 1e6);
  if (field('since').value) asked.since = dayBegins(field('since').value);
  if (field('until').value) asked.until = dayBegins(field('until').value, 1);
  return asked;
}

const filtering = () => TEXTS.filter((name) => name !== 'words' && field(name).value.trim()).length;

function clearFilters() {
  for (const name of TEXTS) if (name !== 'words') field(name).value = '';
}

function takeChoices(choices) {
  for (const name of ['task', 'level', 'strategy', 'policy', 'verifier', 'tag']) {
    const select = field(name);
    const value = select.value;
    const kept = [...select.options].filter((option) => ['', 'none'].includes(option.value));
    const made = choices[name].map((choice) => new Option(String(choice).replaceAll('_', ' '), choice));
    select.replaceChildren(...kept, ...made);
    offer(name, value);
    select.value = value;
  }
}
