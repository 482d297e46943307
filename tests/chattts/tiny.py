"""A ChatTTS of random weights: the real architecture, files and loading in 2 MB, made in a second."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.engines.chattts_loading import bypass_torchaudio_extension
from models.weights import CHATTTS_FILES

HIDDEN = 32
END = 625
"""The code that ends a sound."""
KEPT = ("[uv_break]", "[v_break]", "[lbreak]", "[llbreak]", "[undefine]", "[laugh]", "[music]", "[pure]")
CONTROL = (
    *("[Sasr]", "[Pasr]", "[Easr]", "[Stts]", "[Ptts]", "[Etts]", "[Sbreak]", "[Pbreak]", "[Ebreak]"),
    *("[spk_emb]", "[empty_spk]"),
    *(f"[{kind}_{level}]" for kind, levels in (("laugh", 3), ("oral", 10), ("speed", 10)) for level in range(levels)),
)


@dataclass(frozen=True)
class Tiny:
    """Weights on disk, and what describes them."""

    folder: Path
    config: Any
    hashes: dict[str, str]


def hashes_of(folder: Path) -> dict[str, str]:
    """ChatTTS's table of hashes for the files of a folder."""
    names = {name: "sha256_" + name.replace("/", "_").replace(".", "_") for name in CHATTTS_FILES}
    return {key: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name, key in names.items()}


def make_tiny(folder: Path) -> Tiny:
    """Writes the weights into the folder."""
    return make_weights(folder, tiny_config)


def make_weights(folder: Path, configured: Callable[[int], Any]) -> Tiny:
    """Writes random weights into the folder; `configured` makes their configuration for so many words."""
    bypass_torchaudio_extension()
    import torch

    torch.manual_seed(0)
    config = configured(_write_tokenizer(folder / "asset" / "tokenizer"))
    _write_sound(folder / "asset", config)
    _write_language_model(folder / "asset", config)
    return Tiny(folder, config, hashes_of(folder))


def tiny_config(words: int) -> Any:
    """The configuration; its parts are made anew, since the package shares its defaults among all configurations."""
    bypass_torchaudio_extension()
    import pybase16384
    from ChatTTS.config import config as parts

    statistics = np.concatenate([np.full(HIDDEN, 0.5), np.zeros(HIDDEN)]).astype(np.float16)
    half = HIDDEN // 2

    def decoder(odim: int, layers: int) -> Any:
        return parts.Decoder(idim=half, odim=odim, hidden=16, n_layer=layers, bn_dim=8)

    backbone = parts.BackboneInitArgs(input_channels=100, dim=32, intermediate_dim=48, num_layers=1)
    head = parts.FourierHeadInitArgs(dim=32, n_fft=1024, hop_length=256, padding="center")
    return parts.Config(
        # Six layers make a sample depend on 24 steps around it, so that the seams are put to the test.
        decoder=decoder(half, 6),
        dvae=parts.DVAE(decoder(HIDDEN, 1), decoder(half, 1), parts.VQ(dim=HIDDEN, levels=(5, 5, 5, 5), G=2, R=2)),
        gpt=parts.GPT(
            hidden_size=HIDDEN,
            intermediate_size=64,
            num_attention_heads=2,
            num_hidden_layers=1,
            num_text_tokens=words,
        ),
        embed=parts.Embed(hidden_size=HIDDEN, num_text_tokens=words),
        vocos=parts.Vocos(backbone=parts.Backbone(init_args=backbone), head=parts.FourierHead(init_args=head)),
        spk_stat=pybase16384.encode_to_string(statistics.tobytes()),
    )


def _write_tokenizer(folder: Path) -> int:
    """A BERT tokenizer with ChatTTS's control tokens; how many tokens it has."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import BertTokenizerFast

    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    letters = "abcdefghijklmnopqrstuvwxyz"
    plain = [
        *letters,
        *(f"##{letter}" for letter in letters),
        *".,，。、 你好世界我是的一不人今天气很请问谢再见嗯啊那个",
    ]
    # The package keeps of a refined text what stands before [break_0].
    vocabulary = [*special.values(), "[MASK]", *plain, *KEPT, *(f"[break_{level}]" for level in range(8)), *CONTROL]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    bert = BertTokenizerFast(tokenizer_object=tokenizer, mask_token="[MASK]", **special)
    bert.add_special_tokens({"additional_special_tokens": [word for word in vocabulary if word[0] == "["][5:]})
    bert.save_pretrained(folder)
    # Newer transformers no longer write it, but the released weights have it.
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    return len(bert)


def _write_sound(folder: Path, config: Any) -> None:
    from ChatTTS.model import DVAE
    from vocos import Vocos
    from vocos.pretrained import instantiate_class

    parts = (config.vocos.feature_extractor, config.vocos.backbone, config.vocos.head)
    _save(Vocos(*(instantiate_class((), asdict(part)) for part in parts)), folder / "Vocos.safetensors")
    codes = config.dvae
    tokens = DVAE(asdict(codes.decoder), asdict(codes.encoder), asdict(codes.vq), dim=codes.decoder.idim)
    _save(tokens, folder / "DVAE.safetensors")
    decoder = DVAE(decoder_config=asdict(config.decoder), dim=config.decoder.idim)
    for block in decoder.decoder.decoder_block:
        # Untrained, a layer hardly acts, and a sample would not depend on what is around it.
        block.weight.data.fill_(1.0)
    _save(decoder, folder / "Decoder.safetensors")


def _write_language_model(folder: Path, config: Any) -> None:
    from ChatTTS.model import Embed
    from transformers import LlamaConfig, LlamaModel

    known = ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers", "max_position_embeddings")
    sizes = {name: getattr(config.gpt, name) for name in known}
    LlamaModel(LlamaConfig(**sizes, vocab_size=64, use_cache=False)).save_pretrained(folder / "gpt")
    embed = config.embed
    made = Embed(embed.hidden_size, embed.num_audio_tokens, embed.num_text_tokens, embed.num_vq)
    _save(made, folder / "Embed.safetensors")


def _save(part: Any, file: Path) -> None:
    from safetensors.torch import save_file

    save_file({name: value.detach().clone().contiguous() for name, value in part.state_dict().items()}, file)


class Dice:
    """Stands where ChatTTS draws a code: says which draws end the sound, counts them, and draws as ever otherwise."""

    def __init__(self, ends: Callable[[int], bool], at: dict[int, Callable[[], None]] | None = None) -> None:
        """`ends` is asked with the number of the draw, from 0; `at` holds what else happens at a draw."""
        import torch

        self._draw = torch.multinomial
        self._ends = ends
        self._at = at or {}
        self.draws = 0

    def __call__(self, scores: Any, **options: Any) -> Any:
        codes = self._draw(scores, **options)
        self._at.get(self.draws, lambda: None)()
        ends = self._ends(self.draws)
        self.draws += 1
        return codes.fill_(END) if ends else codes.masked_fill(codes == END, 0)


class Dictation:
    """Stands where ChatTTS draws a token of a rewritten text: dictates it, or lets chance; codes are left to dice."""

    def __init__(self, chat: Any, draw: Callable[..., Any], dice: Dice, text: str | None) -> None:
        """`text` is what the rewriting comes out as; None lets the random weights babble without end."""
        self._draw = draw
        self._dice = dice
        self._words = chat.tokenizer.len
        self._text = None if text is None else [*_ids(chat, text), chat.tokenizer.eos_token]
        self._end = chat.tokenizer.eos_token
        self.at: dict[int, Callable[[], None]] = {}
        """What else happens at a draw."""
        self.draws = 0

    def __call__(self, scores: Any, **options: Any) -> Any:
        if scores.shape[-1] != self._words:
            return self._dice(scores, **options)
        self.at.get(self.draws, lambda: None)()
        drawn = self._draw(scores, **options)
        token = int(drawn) % (self._end - 1) if self._text is None else self._text[self.draws]
        self.draws += 1
        return drawn.fill_(token)


def _ids(chat: Any, text: str) -> list[int]:
    ids: list[int] = chat.tokenizer.encode([text], 1)[0][0, :, 0].tolist() if text else []
    return ids
