// A link to a place in a session, and what a link asks of the view.

// `seq` and `path` may be null: then the link names the session's end, and no node.
function linkTo(session, seq, path) {
  const url = new URL(location.href);
  url.search = url.hash = '';
  url.searchParams.set('session', session);
  if (seq !== null) url.searchParams.set('at', seq);
  if (path !== null) url.searchParams.set('node', path);
  return url.href;
}

// Copy `text`; false where the browser lets no page do so.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { return copyByHand(text); }
}

// The old way, which also works where the page came over plain http.
function copyByHand(text) {
  const before = document.activeElement;
  const field = html('textarea');
  field.value = text;
  field.style.position = 'fixed';
  field.style.opacity = 0;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand('copy');
  } catch { return false; } finally {
    field.remove();
    before?.focus({ preventScroll: true });
  }
}

class LinkButton {
  constructor(card) {
    this.button = card.querySelector('[data-do=link]');
    this.status = card.querySelector('.copied');
  }

  show(session) {
    this.button.hidden = !session;
  }

  // Where nothing can be copied the link goes into the address bar.
  async press(link) {
    const done = await copy(link);
    if (!done) history.replaceState(null, '', link);
    put(this.status, done ? inWords('The link is copied.') : inWords('The link stands in the address bar: copy it there.'));
    this.button.classList.toggle('copied-now', done);
    this.status.classList.toggle('unseen', done);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      put(this.status, '');
      this.button.classList.remove('copied-now');
      this.status.classList.add('unseen');
    }, 4000);
  }
}
