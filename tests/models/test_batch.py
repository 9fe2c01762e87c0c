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
    batch = WorkingBatch(model, rows=8, room=96)
    rows = [list(prompt) for prompt in prompts]
    same(model, batch.forward(0, rows), rows)
    for token in range(6):
        new = [[40 * token + i] for i in range(len(rows))]
        rows = [row + more for row, more in zip(rows, new, strict=True)]
        same(model, batch.forward(0, new), rows)
    assert batch.lengths[: len(rows)] == [len(row) for row in rows]


@torch.inference_mode()
def test_chunks_of_different_lengths(model, prompts):
    batch = WorkingBatch(model, rows=5, room=96)
    batch.forward(0, prompts)
    chunks = [[7, 8, 9], [1], [5, 6], [2, 3, 4, 5, 6, 7], [9]]
    rows = [prompt + chunk for prompt, chunk in zip(prompts, chunks, strict=True)]
    same(model, batch.forward(0, chunks), rows)
    same(model, batch.forward(0, [[11]] * 5), [row + [11] for row in rows])


@torch.inference_mode()
def test_rows_come_in_behind_others_and_leave(model, prompts):
    batch = WorkingBatch(model, rows=5, room=96)
    batch.forward(0, prompts[:3])
    same(model, batch.forward(3, prompts[3:]), prompts[3:])
    batch.copy(4, 1)
    rows = [prompts[0], prompts[4], prompts[2], prompts[3]]
    same(model, batch.forward(0, [[5]] * 4), [row + [5] for row in rows])
    batch.lengths[2] = 0
    same(model, batch.forward(2, [prompts[1]]), [prompts[1]])


@torch.inference_mode()
def test_a_copy_goes_its_own_way(model, prompts):
    batch = WorkingBatch(model, rows=3, room=96)
    batch.forward(0, prompts[:1])
    batch.copy(0, 1)
    batch.copy(0, 2)
    same(model, batch.forward(0, [[1], [2], [3]]), [[*prompts[0], i] for i in (1, 2, 3)])


@torch.inference_mode()
def test_a_row_may_be_filled_to_the_last_place(model):
    batch = WorkingBatch(model, rows=2, room=8)
    batch.forward(0, [[1, 2, 3, 4, 5, 6, 7], [1]])
    same(model, batch.forward(0, [[8], [2]]), [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2]])
