"""What the plots share, by the `__all__` of each module."""

from periodkit.plots._drawing.canvas import *
from periodkit.plots._drawing.clock import *
from periodkit.plots._drawing.groups import *
from periodkit.plots._drawing.labels import *
from periodkit.plots._drawing.markers import *
from periodkit.plots._drawing.output import *
from periodkit.plots._drawing.panels import *
from periodkit.plots._drawing.replay import *
from periodkit.plots._drawing.scales import *
from periodkit.plots._drawing.stages import *
from periodkit.plots._drawing.text import *
from periodkit.plots._drawing.times import *
