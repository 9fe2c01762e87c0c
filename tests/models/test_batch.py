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
def test_room_grows_as_rows_need_it_and_costs_rows(model):
    rows = [[7] * 60, [8] * 20]
    batch = WorkingBatch(model, rows=8, context=1024, limit=8 * 256 * 256)
    assert (batch.room, batch.allowed) == (256, 8)
    batch.forward([row[:20] for row in rows])
    batch.worth = 1
    batch.root(1, "stem")
    batch.ensure(300)
    assert (batch.room, batch.allowed) == (512, 4)
    same(model, batch.forward([rows[0][20:], [9]]), [rows[0], rows[1] + [9]])


@torch.inference_mode()
@pytest.mark.parametrize("siblings", [1, 4])
def test_rows_on_stems_go_their_own_ways(model, prompts, siblings):
    batch = WorkingBatch(model, rows=8, context=96)
    batch.same, batch.worth = Sameness(siblings=siblings), 1
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
    same(model, batch.forward([[], [3], [4, 5], [], [6]])[[1, 4]], [rows[1] + [3], rows[4] + [6]])
    for row in (4, 3, 1):
        batch.clear(row)
    assert batch.slots == {"a": 0} and list(batch.standing) == [0]


@torch.inference_mode()
def test_a_row_without_a_stem_runs_beside_rows_on_one(model, prompts):
    batch = WorkingBatch(model, rows=8, context=96)
    batch.worth = 1
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
