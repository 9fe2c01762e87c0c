"""The working batch against a plain forward without a cache, on rows of different lengths."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tts_explorer.models.attention import Sameness
from tts_explorer.models.batch import WorkingBatch


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=300, num_key_value_heads=2, max_position_embeddings=96, initializer_range=0.3, **shape)
    return LlamaForCausalLM(config).eval()


def plain(model, ids):
    """The last hidden state of one row, read whole."""
    return model.model(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0, -1]


def same(model, hidden, rows):
    for got, ids in zip(hidden, rows, strict=True):
        torch.testing.assert_close(got, plain(model, ids), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_ragged_prompts_then_token_by_token(model, prompts):
    batch = WorkingBatch(model, rows=8, context=96)
    rows = [list(prompt) for prompt in prompts]
    same(model, batch.forward(rows), rows)
    for token in range(6):
        new = [[40 * token + i] for i in range(len(rows))]
        rows = [row + more for row, more in zip(rows, new, strict=True)]
        same(model, batch.forward(new), rows)
    assert batch.lengths[: len(rows)] == [len(row) for row in rows]


@torch.inference_mode()
def test_chunks_of_different_lengths(model, prompts):
    batch = WorkingBatch(model, rows=5, context=96)
    batch.forward(prompts)
    chunks = [[7, 8, 9], [1], [5, 6], [2, 3, 4, 5, 6, 7], [9]]
    rows = [prompt + chunk for prompt, chunk in zip(prompts, chunks, strict=True)]
    same(model, batch.forward(chunks), rows)
    same(model, batch.forward([[11]] * 5), [row + [11] for row in rows])


@torch.inference_mode()
def test_rows_come_in_behind_others_and_leave(model, prompts):
    batch = WorkingBatch(model, rows=5, context=96)
    batch.forward(prompts[:3])
    got = batch.forward([[], [3], [], prompts[3], prompts[4]])
    same(model, got[[1, 3, 4]], [prompts[1] + [3], prompts[3], prompts[4]])
    batch.clear(1)
    batch.move(4, 1)
    rows = [prompts[0], prompts[4], prompts[2], prompts[3]]
    same(model, batch.forward([[5]] * 4), [row + [5] for row in rows])
    batch.clear(3)
    same(model, batch.forward([[], [], [], prompts[1]])[3:], [prompts[1]])


@torch.inference_mode()
def test_what_was_cut_out_goes_on_in_another_row(model, prompts):
    batch = WorkingBatch(model, rows=4, context=96)
    batch.forward([prompts[2]])
    head, tail = batch.cut(0, 0, 10), batch.cut(0, 10, 17)
    batch.forward([[4] * 5, [1], [2]])
    for row in (1, 2):
        batch.clear(row)
        batch.append(row, head)
        batch.append(row, tail)
    same(model, batch.forward([[], [7], [8]])[1:], [prompts[2] + [7], prompts[2] + [8]])


@torch.inference_mode()
def test_room_grows_as_rows_need_it_and_costs_places(model):
    rows = [[7] * 60, [8] * 20]
    batch = WorkingBatch(model, rows=8, context=1024, limit=8 * 128 * 256)
    assert (batch.room, batch.paths.count, batch.allowed) == (128, 8, 8)
    batch.forward([row[:20] for row in rows])
    batch.root(1, "stem")
    batch.append(0, batch.cut(0, 0, 20).repeat(1, 1, 9, 1))
    assert (batch.room, batch.paths.count, batch.allowed) == (256, 4, 8)
    batch.clear(0)
    batch.forward([row[:20] for row in rows[:1]])
    same(model, batch.forward([rows[0][20:], [9]]), [rows[0], rows[1] + [9]])


@torch.inference_mode()
def test_tails_grow_too_and_cost_rows(model, prompts):
    batch = WorkingBatch(model, rows=8, context=96, limit=8 * 32 * 256)
    batch.forward(prompts[2:3])
    batch.root(0, "stem")
    row, allowed = list(prompts[2]), batch.allowed
    for token in range(40):
        row.append(3 + token)
        same(model, batch.forward([[3 + token]]), [row])
    assert (allowed, batch.allowed) == (8, 4)


@torch.inference_mode()
def test_a_place_is_taken_by_the_next_row_and_none_beyond_those_that_fit(model, prompts):
    batch = WorkingBatch(model, rows=8, context=96, limit=3 * 96 * 256)
    batch.forward([prompt[:5] for prompt in prompts[:3]])
    assert not batch.fits("stem")
    batch.root(1, "stem")
    assert batch.fits("stem") and not batch.fits("other")
    with pytest.raises(ValueError, match="no room"):
        batch.open(3)
    batch.clear(0)
    assert batch.fits("other") and batch.sit(3, "stem")
    batch.move(3, 0)
    same(model, batch.forward([[4], [5]]), [prompts[1][:5] + [4], prompts[1][:5] + [5]])
    batch.append(3, batch.cut(2, 0, 5))
    assert batch.held[3].slot == 0


@torch.inference_mode()
@pytest.mark.parametrize("siblings", [1, 4])
def test_rows_on_stems_go_their_own_ways(model, prompts, siblings):
    batch = WorkingBatch(model, rows=8, context=96)
    batch.same = Sameness(siblings=siblings)
    batch.forward([prompts[0], prompts[2]])
    batch.root(0, "a")
    batch.root(1, "b")
    for row, key in ((2, "a"), (3, "b"), (4, "b")):
        assert batch.sit(row, key)
    assert not batch.sit(5, "c")
    rows = [list(prompts[i]) for i in (0, 2, 0, 2, 2)]
    for token in range(40):
        new = [[40 + 5 * token + i] for i in range(5)]
        rows = [row + more for row, more in zip(rows, new, strict=True)]
        same(model, batch.forward(new), rows)
    same(model, batch.forward([[], [3], [], [], [6]])[[1, 4]], [rows[1] + [3], rows[4] + [6]])
    for row in (4, 3, 1):
        batch.clear(row)
    assert batch.slots == {"a": 0} and list(batch.standing) == [0]


@torch.inference_mode()
def test_a_row_without_a_stem_runs_beside_rows_on_one(model, prompts):
    batch = WorkingBatch(model, rows=8, context=96)
    batch.forward([prompts[2], prompts[3]])
    batch.root(0, "a")
    rows = [list(prompts[2]), list(prompts[3]), []]
    for new in ([[5], [6], [7, 8, 9]], [[1], [2], [3]], [[4], [], [5]], [[], [8], [9]]):
        rows = [row + more for row, more in zip(rows, new, strict=True)]
        hidden = batch.forward(new)
        same(model, [hidden[i] for i in range(3) if new[i]], [rows[i] for i in range(3) if new[i]])


@torch.inference_mode()
def test_a_row_may_be_filled_to_the_last_place(model):
    batch = WorkingBatch(model, rows=2, context=8)
    batch.forward([[1, 2, 3, 4, 5, 6, 7], [1]])
    same(model, batch.forward([[8], [2]]), [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2]])


@torch.inference_mode()
def test_a_row_may_be_lifted_onto_what_it_holds_and_settled_again(model, prompts):
    batch = WorkingBatch(model, rows=4, context=96)
    batch.forward([prompts[2], prompts[0]])
    batch.lift(0)
    row = [*prompts[2], 5, 6]
    for token in row[-2:]:
        hidden = batch.forward([[token]])
    same(model, hidden, [row])
    tail = batch.cut(0, len(prompts[2]), len(row))
    batch.settle(0)
    assert (batch.held[0].offset, batch.lengths[0]) == (0, len(row))
    assert torch.equal(batch.cut(0, len(prompts[2]), len(row)), tail)
    batch.append(0, tail)
    batch.append(1, tail[:, :, :1])
    batch.root(0, "stem")
    assert batch.sit(2, "stem") and batch.lengths[2] == len(row) + 2
    batch.clear(0)
    batch.clear(2)
    assert not batch.slots and list(batch.standing) == [1]
