// Hands out the search that the page shows as a file: the server writes it, the browser saves it, and makes a PNG of the SVG.
// Besides it says when the search on the page has ended. `element`, `props`, `server` and `trigger` are given by the page.

const part = (name) => element.querySelector(name);
const LARGEST = 12000;   // px a side of a PNG; browsers draw no larger ones

function say(words) {
  part('.said').textContent = words;
}

function save(name, blob) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  const size = blob.size < 1e6 ? `${Math.ceil(blob.size / 1000).toLocaleString('en')} kB` : `${(blob.size / 1e6).toFixed(1)} MB`;
  say(tr('Saved {name} ({size}).', { name, size }));
}

// The picture at twice its size, or at what a browser can draw.
async function painted(text) {
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    await picture.decode();
    const scale = Math.min(2, LARGEST / picture.width, LARGEST / picture.height);
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, 'image/png'));
  } finally {
    URL.revokeObjectURL(picture.src);
  }
}

async function hand(format) {
  if (!props.value) {
    say(tr('No search yet: start one, or open a recorded session.'));
    return;
  }
  say(tr('Writing the file…'));
  const dark = document.body.classList.contains('dark');
  let told = null;
  try {
    told = await server.file({ session: props.value, format: format === 'png' ? 'svg' : format, dark });
  } catch { /* told stays null */ }
  if (!told || told.error) {
    say(told?.error ?? tr('The server does not answer: is it still running? Try again.'));
    return;
  }
  const blob = format === 'png' ? await painted(told.text) : new Blob([told.text], { type: told.mime });
  if (blob) save(format === 'png' ? told.name.replace(/svg$/, 'png') : told.name, blob);
  else say(tr('The picture is too large for this browser: take the SVG.'));
}

element.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-format]');
  if (!button) return;
  button.disabled = true;
  try {
    await hand(button.dataset.format);
  } catch {
    say(tr('The file could not be made here: try another format.'));
  }
  button.disabled = false;
  button.focus();
});

// The view tells by its state when a search that was live is over.
function watchView(view) {
  let before = view.dataset.state;
  new MutationObserver(() => {
    const now = view.dataset.state;
    if (before === 'live' && now !== 'live') trigger('search_ended', {});
    before = now;
  }).observe(view, { attributes: true, attributeFilter: ['data-state'] });
}

(function find() {
  const view = document.querySelector('#search-view');
  if (view) watchView(view);
  else if (element.isConnected) setTimeout(find, 300);
})();

watch('value', () => say(''));
