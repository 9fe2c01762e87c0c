// What other rules and aggregates would have chosen from the same tree, as the server told it: equal answers are one line.

const ruleWords = ([rule, aggregates]) => rule + (aggregates.length ? ` (${aggregates.join(', ')})` : '');
const gradeChip = (correct) => (correct === true ? `✓ ${inWords('right')}`
  : correct === false ? `✗ ${inWords('wrong')}` : `? ${inWords('not known')}`);

function readJson(text, otherwise) {
  try {
    return JSON.parse(text || 'null') ?? otherwise;
  } catch { return otherwise; }
}

class OthersPanel {
  constructor(place) {
    this.place = place;
  }

  // `told` is a list of {answer, correct, by: [[rule, [aggregates]], …], chosen}, in JSON; empty while it is not known.
  show(told) {
    if (told === this.told) return;
    this.told = told;
    const answers = readJson(told, []);
    this.place.hidden = answers.length === 0;
    this.place.replaceChildren(...(answers.length === 0 ? [] : answers.length === 1 ? [this.agreement(answers[0])]
      : [html('h4', '', inWords('By other rules, from the same tree')), this.table(answers)]));
  }

  agreement(answer) {
    const rules = answer.by.map(([rule]) => rule).join(', ');
    return html('p', '', answer.chosen ? inWords('Every rule chooses this answer: {rules}.', { rules })
      : inWords('Every rule would choose {answer}.', answer));
  }

  table(answers) {
    const table = html('table');
    for (const { answer, correct, by, chosen } of answers) {
      const row = table.insertRow();
      const said = html('th', 'said', answer);
      said.scope = 'row';
      const grade = html('td', 'grade', gradeChip(correct));
      mark(grade, 'data-grade', correct ?? 'none');
      row.append(said, html('td', 'by', by.map(ruleWords).join(', ') + (chosen ? ` · ${inWords('chosen')}` : '')), grade);
    }
    return table;
  }
}
