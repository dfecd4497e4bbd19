/* stopwords.c - the little words that tell a language and say nothing else. */
#include "server/retrieval/stopwords.h"

#include <pthread.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/language.h"
#include "server/retrieval/word_hash.h"

/* Lower case, as tokens_split gives them; words of one letter come with the elisions ("l'eau", "it's"). */
static const char *const lists[LANGUAGE_COUNT] = {
    [LANGUAGE_ENGLISH] =
        "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers "
        "herself "
        "it its itself they them their theirs themselves what which who whom this that these those am is are was were "
        "be "
        "been being have has had having do does did doing would should could ought a an the and but if or because as "
        "until while of at by for with about against between into through during before after above below to from up "
        "down in out on off over under again further then once here there when where why how all any both each few "
        "more "
        "most other some such no nor not only own same so than too very s t d ll m re ve can cannot will just don isn "
        "aren wasn weren hasn haven hadn doesn didn won wouldn shouldn couldn also may might must shall upon whose",
    [LANGUAGE_GERMAN] =
        "der die das den dem des ein eine einer eines einem einen und oder aber wenn weil dass daß ist sind war waren "
        "wird werden wurde wurden sein hat haben hatte nicht auch nur noch schon sich er sie es wir ihr ich du man in "
        "im "
        "an am auf aus bei beim mit nach von vom vor zu zum zur über unter durch für gegen ohne um als wie so dieser "
        "diese "
        "dieses kein keine was wer wo wann warum welche welcher welches",
    [LANGUAGE_FRENCH] =
        "le la les un une des du de d l et ou mais si que qu qui quoi dont où est sont était étaient être été a ont "
        "avait "
        "avoir ne n pas plus ce cet cette ces c se s son sa ses leur leurs il elle ils elles on nous vous je j tu me m "
        "te "
        "t lui y en dans par pour avec sans sur sous entre comme au aux quel quelle quels quelles pourquoi comment",
    [LANGUAGE_SPANISH] =
        "el la los las un una unos unas de del y o u pero si que qué quien quién cual cuál es son era eran ser fue "
        "fueron "
        "está están ha han había no se su sus lo le les me te nos él ella ellos ellas yo tú en por para con sin sobre "
        "entre "
        "como cómo más muy al a este esta estos estas ese esa donde dónde cuando cuándo porque también",
    [LANGUAGE_ITALIAN] =
        "il lo la i gli le un uno una di del dello della dei degli delle da dal dalla e ed o ma se che chi cui non è "
        "sono "
        "era erano essere stato ha hanno aveva si suo sua suoi sue mi ti ci vi io tu lui lei noi voi loro a al alla ai "
        "in nel nella nei con su sul sulla per tra fra come più anche quale quali dove quando perché l d c",
    [LANGUAGE_PORTUGUESE] = "o a os as um uma uns umas de do da dos das e ou mas se que quem qual é são era eram ser "
                            "foi foram está estão há "
                            "não seu sua seus suas lhe me te nos ele ela eles elas eu tu você em no na nos nas por "
                            "pelo pela para com sem sobre "
                            "entre como mais muito ao à aos este esta isso onde quando porque também",
    [LANGUAGE_DUTCH] = "de het een en of maar als dat die dit deze is zijn was waren wordt worden werd heeft hebben "
                       "had niet ook nog maar "
                       "ik je jij hij zij ze wij we u hun haar zich er in op aan bij met naar van voor uit over onder "
                       "door om te tot dan "
                       "geen wat wie waar wanneer waarom hoe welke",
    [LANGUAGE_SWEDISH] = "och det att i en ett jag hon han som på den med var sig för så till är men om hade de av "
                         "icke inte mig du då sin nu "
                         "har vi ni kan där eller när vad under från vilken vilket ut upp blir blev detta denna dessa "
                         "också hur varför mellan",
    [LANGUAGE_DANISH] = "og i jeg det at en den til er som på de med han af for ikke der var mig sig men et har om vi "
                        "min havde ham hun nu "
                        "over da fra du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne "
                        "ind når være dog noget "
                        "hvorfor hvordan hvilken mellem",
    [LANGUAGE_NORWEGIAN] = "og i jeg det at en et den til er som på de med han av ikke der så var meg seg men har om "
                           "vi min ha hadde hun nå "
                           "over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv her alle vil "
                           "bli ble blitt etter når "
                           "være kom noen hvorfor hvordan hvilken mellom",
    [LANGUAGE_FINNISH] = "ja on ei se että joka ovat oli olivat olla hän he minä sinä me te ne tämä tuo nämä mikä mitä "
                         "kuka missä milloin "
                         "miksi miten kuin kun jos mutta tai sekä myös vain niin jo nyt sen sitä siitä siinä hänen "
                         "niiden ole olen joita jotka",
    [LANGUAGE_RUSSIAN] =
        "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от "
        "меня еще "
        "нет о из ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь вам сказал себя ей может они "
        "тут "
        "где есть надо ней для мы тебя их чем была сам чтоб без будто чего раз тоже себе под будет ж тогда кто этот "
        "того "
        "потому этого какой какая какие каких каков это эти этой этом почему зачем откуда при через между об над об",
};

enum { SLOTS = 4096 }; /* a power of two, about a quarter full */
static struct {
    const char *word;
    uint32_t length, hash, languages;
} slots[SLOTS];
/* Most words are in no list, and the table is larger than the processor's first cache: this tells most of them. */
static uint64_t maybe[SLOTS / 16];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t slot_of(const char *word, size_t length, uint32_t hash)
{
    uint32_t slot = hash % SLOTS;
    while (slots[slot].word &&
           (slots[slot].hash != hash || slots[slot].length != length || memcmp(slots[slot].word, word, length) != 0))
        slot = (slot + 1) % SLOTS;
    return slot;
}

static void build(void)
{
    for (int language = 0; language < LANGUAGE_COUNT; language++)
        for (const char *p = lists[language]; *p;) {
            size_t length = strcspn(p, " ");
            uint32_t hash = word_hash(p, length), slot = slot_of(p, length, hash);
            maybe[hash / 64 % COUNT_OF(maybe)] |= 1ull << hash % 64;
            slots[slot].word = p;
            slots[slot].hash = hash;
            slots[slot].length = (uint32_t)length;
            slots[slot].languages |= 1u << language;
            p += length + (p[length] == ' ');
        }
}

uint32_t stopwords_languages(const char *word, size_t length, uint32_t hash)
{
    pthread_once(&once, build);
    if (!(maybe[hash / 64 % COUNT_OF(maybe)] >> hash % 64 & 1))
        return 0;
    uint32_t slot = slot_of(word, length, hash);
    return slots[slot].word ? slots[slot].languages : 0;
}
