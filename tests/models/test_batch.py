"""The working batch against a plain forward without a cache, on rows of different lengths."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

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
    batch.move(4, 1)
    rows = [prompts[0], prompts[4], prompts[2], prompts[3]]
    same(model, batch.forward([[5]] * 4), [row + [5] for row in rows])
    batch.lengths[3] = 0
    same(model, batch.forward([[], [], [], prompts[1]])[3:], [prompts[1]])


@torch.inference_mode()
def test_what_was_cut_out_goes_on_in_another_row(model, prompts):
    batch = WorkingBatch(model, rows=4, context=96)
    batch.forward([prompts[2]])
    head, tail = batch.cut(0, 0, 10), batch.cut(0, 10, 17)
    batch.forward([[4] * 5, [1], [2]])
    for row in (1, 2):
        batch.lengths[row] = 0
        batch.append(row, head)
        batch.append(row, tail)
    same(model, batch.forward([[], [7], [8]])[1:], [prompts[2] + [7], prompts[2] + [8]])


@torch.inference_mode()
def test_room_grows_as_rows_need_it_and_costs_rows(model):
    rows = [[7] * 60, [8] * 20]
    batch = WorkingBatch(model, rows=8, context=1024, limit=8 * 256 * 512)
    assert (batch.room, batch.allowed) == (128, 8)
    batch.room = 32
    batch.lengths, batch.state = [0] * 33, batch.state[:, :, :, :32].repeat(1, 4, 1, 1, 1)[:, :33]
    batch.forward([row[:20] for row in rows])
    same(model, batch.forward([rows[0][20:], [9]]), [rows[0], rows[1] + [9]])
    assert batch.room >= 60


@torch.inference_mode()
def test_a_copy_goes_its_own_way(model, prompts):
    batch = WorkingBatch(model, rows=3, context=96)
    batch.forward(prompts[:1])
    batch.move(0, 1)
    batch.move(0, 2)
    same(model, batch.forward([[1], [2], [3]]), [[*prompts[0], i] for i in (1, 2, 3)])


@torch.inference_mode()
def test_a_row_may_be_filled_to_the_last_place(model):
    batch = WorkingBatch(model, rows=2, context=8)
    batch.forward([[1, 2, 3, 4, 5, 6, 7], [1]])
    same(model, batch.forward([[8], [2]]), [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2]])
