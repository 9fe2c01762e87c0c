// What the search has cost at this point: each figure with the verifier's part of it, and how many greedy answers that would buy.

const COSTS = () => [inWords('Sampled tokens'), inWords('Forwarded tokens'), inWords('FLOPs'), inWords('Model time'), inWords('Nodes'),
  inWords('In greedy answers')];
const amount = (times) => (times >= 9.95 ? numberText(Math.round(times)) : times.toFixed(1).replace(/\.0$/, ''));

class CostPanel {
  constructor(card) {
    const list = card.querySelector('dl');
    list.replaceChildren();
    this.cells = COSTS().map((name) => {
      const made = { value: html('dd', '', '0'), part: html('dd', 'part', ' ') };
      const pair = html('div');
      pair.append(html('dt', '', name), made.value, made.part);
      list.append(pair);
      return made;
    });
  }

  // `worth` is {own, large, name}: FLOPs of a greedy answer of this model, and of the largest bundled one; null while not known.
  show(state, worth) {
    const { cost } = state;
    const { verifier } = cost;
    const share = cost.flops > 0 ? `, ${Math.round((100 * verifier.flops) / cost.flops)} %` : '';
    const judged = (amount) => (state.start?.v ? inWords('verifier {amount}', { amount }) : '');
    const seconds = (time) => `${time.toFixed(1)} s`;
    const figures = [
      [numberText(cost.sampled), judged(numberText(verifier.sampled))],
      [numberText(cost.forwarded), judged(numberText(verifier.forwarded))],
      [human(cost.flops, ''), judged(human(verifier.flops, '') + share)],
      [seconds(cost.seconds), judged(seconds(verifier.seconds))],
      [numberText(state.nodes.length - 1), plural(state.nodes.filter((node) => node.terminal).length, '{n} finished')],
      this.worth(cost.flops, worth),
    ];
    this.cells.forEach((cell, i) => {
      put(cell.value, figures[i][0]);
      put(cell.part, figures[i][1]);
    });
  }

  worth(flops, worth) {
    if (!(worth?.own > 0) || !(flops > 0)) return ['–', ''];
    const said = [inWords('of this model')];
    if (worth.large > 0) said.push(inWords('{amount} of {name}', { amount: amount(flops / worth.large), name: worth.name }));
    return [amount(flops / worth.own), said.join(', ')];
  }
}
