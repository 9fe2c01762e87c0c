"""Our count of FLOPs against torch's own counter, which is right under the MATH attention kernel only."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

from tts_explorer.models.flops import Flops


def llama(**options):
    shape = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = LlamaConfig(**{"vocab_size": 100, "max_position_embeddings": 64, "num_key_value_heads": 4, **shape, **options})
    return LlamaForCausalLM(config).eval()


def counted(model, count, context=0):
    """What torch counts for `count` tokens after `context` others."""
    cache = DynamicCache(config=model.config)
    ids = torch.arange(context + count)[None] % 100
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        if context:
            model(input_ids=ids[:, :context], past_key_values=cache)
        with FlopCounterMode(display=False) as counter:
            model(input_ids=ids[:, context:], past_key_values=cache)
    return counter.get_total_flops()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("options", [{}, {"num_key_value_heads": 2}, {"head_dim": 16}])
@pytest.mark.parametrize("context", [0, 1, 30])
def test_a_decoded_token_costs_exactly_what_torch_counts(context, options, tied):
    model = llama(tie_word_embeddings=tied, **options)
    assert Flops.of(model).of_span(context, context + 1, heads=1) == counted(model, 1, context)


@pytest.mark.parametrize(("count", "context"), [(1, 0), (7, 0), (20, 0), (5, 9)])
def test_a_chunk_costs_the_same_but_for_the_half_of_attention_that_a_mask_hides(count, context):
    """A kernel computes count · (context + count) products; those behind the mask are not counted here."""
    model = llama()
    flops = Flops.of(model)
    hidden = flops.attention * count * (count - 1) / 2
    assert flops.of_span(context, context + count, heads=count) + hidden == counted(model, count, context)


def test_a_span_is_the_sum_of_its_tokens_and_none_costs_nothing():
    flops = Flops(10, 5, 4)
    assert flops.of_span(3, 9, heads=6) == sum(flops.of_span(p, p + 1, heads=1) for p in range(3, 9))
    assert flops.of_span(5, 5, heads=0) == 0 == flops.of_span(5, 4, heads=0)


def test_the_embedding_is_a_lookup_and_the_head_counts_where_logits_are_taken():
    model = llama()
    flops = Flops.of(model)
    assert flops.head == 100 * 48 and flops.attention == 4 * 3 * 48
    assert flops.linear == 3 * (4 * 48 * 48 + 3 * 48 * 80)
