"""The parameter sets of our streams (ITU-T H.264, 7.3.2), and what of x264's decides how its slice headers read."""

from dataclasses import dataclass

from animoto.h264.bitstream import BitReader, BitWriter, escape, unescape

MAIN_PROFILE = 77
SPS_UNIT, PPS_UNIT = 7, 8
_SPS_HEADER, _PPS_HEADER = bytes([3 << 5 | SPS_UNIT]), bytes([3 << 5 | PPS_UNIT])

FRAME_NUM_BITS, ORDER_COUNT_BITS, INITIAL_QP = 8, 16, 26

PRIMARIES, TRANSFER, MATRIX = 1, 13, 6
"""The colours that browsers show right: of sRGB, with the matrix of JPEG (tables E-3, E-4, E-5; as ITU-T H.273)."""

PADDING_IDS = (0, 1, 3, 7)
"""Equal picture parameter sets: each of these numbers is two bits longer than the one before, as an Exp-Golomb code."""

_DPB_FRAMES = 4
_LEVELS = (
    (30, 40500, 1620, 8100),
    (31, 108000, 3600, 18000),
    (32, 216000, 5120, 20480),
    (40, 245760, 8192, 32768),
    (42, 522240, 8704, 34816),
    (50, 589824, 22080, 110400),
    (51, 983040, 36864, 184320),
    (52, 2073600, 36864, 184320),
)
"""Level, and the most macroblocks a second, in a frame, and in the decoder's memory (table A-1)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a slice header's layout, and the meaning of its numbers, depend on."""

    frame_num_bits: int
    order_count_bits: int
    """None at all (0) where order follows decoding (pic_order_cnt_type 2)."""
    initial_qp: int
    deblocking_control: bool


OUR_LAYOUT = Layout(FRAME_NUM_BITS, ORDER_COUNT_BITS, INITIAL_QP, deblocking_control=True)


@dataclass(frozen=True, slots=True)
class Screen:
    """The size, in pixels, and rate, in frames a second, that a stream is made for."""

    width: int
    height: int
    fps: int

    @property
    def columns(self) -> int:
        """Macroblocks across."""
        return -(-self.width // 16)

    @property
    def rows(self) -> int:
        """Macroblocks down."""
        return -(-self.height // 16)

    @property
    def macroblocks(self) -> int:
        return self.columns * self.rows

    @property
    def level(self) -> int | None:
        """The lowest level (times ten) that carries the screen, from 3.0 on; None beyond 5.2."""
        for level, each_second, in_frame, in_memory in _LEVELS:
            fits = self.macroblocks <= in_frame and max(self.columns, self.rows) ** 2 <= 8 * in_frame
            if fits and self.macroblocks * self.fps <= each_second and self.macroblocks * _DPB_FRAMES <= in_memory:
                return level
        return None


def sequence_parameter_set(screen: Screen, *, reordered: bool) -> bytes:
    """The unit that describes the stream: Main profile, order counts of type 0, two references; raises ValueError."""
    if screen.level is None:
        raise ValueError(f"No level of H.264 carries {screen}.")
    bits = BitWriter()
    for byte in (MAIN_PROFILE, 0, screen.level):
        bits.u(8, byte)
    bits.ue(0)  # seq_parameter_set_id
    bits.ue(FRAME_NUM_BITS - 4)
    bits.ue(0)  # pic_order_cnt_type
    bits.ue(ORDER_COUNT_BITS - 4)
    bits.ue(2)  # max_num_ref_frames: the two pictures of a fade
    bits.u(1, 0)  # gaps_in_frame_num_value_allowed_flag
    bits.ue(screen.columns - 1)
    bits.ue(screen.rows - 1)
    bits.u(1, 1)  # frame_mbs_only_flag
    bits.u(1, 1)  # direct_8x8_inference_flag
    _write_cropping(bits, screen)
    bits.u(1, 1)  # vui_parameters_present_flag
    _write_usability(bits, screen, reordered=reordered)
    return _SPS_HEADER + escape(bits.end())


def _write_cropping(bits: BitWriter, screen: Screen) -> None:
    """What of the last macroblocks is not shown, in units of two pixels (7.4.2.1.1)."""
    right, bottom = (16 * screen.columns - screen.width) // 2, (16 * screen.rows - screen.height) // 2
    bits.u(1, bool(right or bottom))
    if right or bottom:
        for side in (0, right, 0, bottom):
            bits.ue(side)


def _write_usability(bits: BitWriter, screen: Screen, *, reordered: bool) -> None:
    """The video usability information (E.1.1): square pixels, colours, a fixed rate, how far frames are reordered."""
    bits.u(1, 1)  # aspect_ratio_info_present_flag
    bits.u(8, 1)
    bits.u(1, 0)  # overscan_info_present_flag
    bits.u(1, 1)  # video_signal_type_present_flag
    bits.u(3, 5)  # video_format: unspecified
    bits.u(1, 0)  # video_full_range_flag
    bits.u(1, 1)  # colour_description_present_flag
    for code in (PRIMARIES, TRANSFER, MATRIX):
        bits.u(8, code)
    bits.u(1, 0)  # chroma_loc_info_present_flag
    bits.u(1, 1)  # timing_info_present_flag, in fields
    bits.u(32, 1)
    bits.u(32, 2 * screen.fps)
    bits.u(1, 1)  # fixed_frame_rate_flag
    bits.u(3, 0)  # no HRD parameters of either kind, no pic_struct
    bits.u(1, 1)  # bitstream_restriction_flag
    bits.u(1, 1)  # motion_vectors_over_pic_boundaries_flag
    for code in (0, 0, 0, 0, int(reordered), _DPB_FRAMES):  # no bounds on bytes, no motion
        bits.ue(code)


def picture_parameter_set(number: int) -> bytes:
    """The unit that has blends weighted by distance (weighted_bipred_idc 2); all are alike but for their number."""
    bits = BitWriter()
    bits.ue(number)
    bits.ue(0)  # seq_parameter_set_id
    bits.u(1, 0)  # entropy_coding_mode_flag: CAVLC
    bits.u(1, 0)  # bottom_field_pic_order_in_frame_present_flag
    for _ in ("slice groups", "references, past", "references, future"):
        bits.ue(0)  # one of each
    bits.u(1, 0)  # weighted_pred_flag
    bits.u(2, 2)  # weighted_bipred_idc: implicit
    bits.se(INITIAL_QP - 26)
    bits.se(0)  # pic_init_qs_minus26
    bits.se(0)  # chroma_qp_index_offset
    bits.u(1, 1)  # deblocking_filter_control_present_flag
    bits.u(1, 0)  # constrained_intra_pred_flag
    bits.u(1, 0)  # redundant_pic_cnt_present_flag
    return _PPS_HEADER + escape(bits.end())


def read_layout(sps: bytes, pps: bytes) -> Layout:
    """What x264's parameter sets say of its slice headers; raises ValueError where ours could not stand in for them."""
    frame_num_bits, order_count_bits = _read_sps(BitReader(unescape(sps), 8))
    bits = BitReader(unescape(pps), 8)
    bits.ue()
    bits.ue()
    _expect(bits.u(2), 0, "entropy_coding_mode_flag and bottom_field_pic_order_in_frame_present_flag")
    _expect(bits.ue(), 0, "num_slice_groups_minus1")
    bits.ue()
    bits.ue()
    bits.u(3)  # weights of predictions that an intra picture has none of
    initial_qp = 26 + bits.se()
    bits.se()
    _expect(bits.se(), 0, "chroma_qp_index_offset")
    deblocking_control = bool(bits.u(1))
    _expect(bits.u(2), 0, "constrained_intra_pred_flag and redundant_pic_cnt_present_flag")
    _expect(bits.more(), False, "an extension of High profile")
    return Layout(frame_num_bits, order_count_bits, initial_qp, deblocking_control)


def _read_sps(bits: BitReader) -> tuple[int, int]:
    if bits.u(8) not in {66, MAIN_PROFILE}:
        raise ValueError("The encoder chose a profile beyond Main.")
    bits.u(16)
    bits.ue()
    frame_num_bits = bits.ue() + 4
    match bits.ue():
        case 0:
            return frame_num_bits, bits.ue() + 4
        case 2:
            return frame_num_bits, 0
        case kind:
            raise ValueError(f"The encoder chose pic_order_cnt_type {kind}.")


def _expect(found: object, wanted: object, name: str) -> None:
    if found != wanted:
        raise ValueError(f"The encoder set {name} to {found}, not {wanted}.")
